"""Score matching losses: the trace, its minimum, the constant, and the slices."""

import pytest
import torch

import medtut as mt
from medtut.score_matching import implicit_loss, sliced_loss

J = torch.tensor([[-1.5, 0.4, 0.0], [0.2, -0.7, 0.3], [0.0, -0.5, -2.0]]).double()
X = mt.randn((5, 3), mt.generators(0, 5), J)
WORLD = mt.GaussianMixture(
    torch.tensor([0.3, 0.7]).double(),
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.stack([0.3 * torch.eye(2), 0.2 * torch.eye(2)]).double(),
)


def linear(x):
    return x @ J.T


def exact(x):
    """Score of WORLD by automatic differentiation, itself differentiable."""
    if not x.requires_grad:
        x = x.requires_grad_()
    return torch.autograd.grad(WORLD.log_prob(x).sum(), x, create_graph=True)[0]


def test_trace_and_norm_of_a_linear_score():
    want = J.trace() + (X @ J.T).square().sum(1) / 2
    assert (implicit_loss(linear, X) - want).abs().max() < 1e-12


def test_images_count_all_their_values():
    x = X[:4].reshape(4, 3, 1, 1)
    got = implicit_loss(lambda y: linear(y.flatten(1)).reshape(y.shape), x)
    assert (got - implicit_loss(linear, X[:4])).abs().max() < 1e-12


def test_slices_are_unbiased():
    n = 40_000
    x = X[:1].expand(n, -1)
    got = sliced_loss(linear, x, generator=torch.Generator().manual_seed(1)).detach()
    sym = (J + J.T) / 2
    sd = (2 * sym.square().sum()).sqrt()  # of v J v for Gaussian v
    assert abs(got.mean() - implicit_loss(linear, X[:1])[0]) < 4 * sd / n**0.5
    assert got.std() == pytest.approx(sd.item(), rel=0.03)
    four = sliced_loss(linear, x, slices=4, generator=torch.Generator().manual_seed(1)).detach()
    assert four.std() == pytest.approx(sd.item() / 2, rel=0.03)


def test_it_is_the_explicit_error_up_to_a_constant():
    """E|s - grad log p|^2 / 2 - implicit is E|grad log p|^2 / 2, whatever the model."""
    x = WORLD.sample(40_000, torch.Generator().manual_seed(2))
    truth = exact(x.clone()).detach()
    constant = truth.square().sum(1) / 2
    for scale in (0.3, 1.0, 1.6):
        explicit = (scale * truth - truth).square().sum(1) / 2
        gap = explicit - implicit_loss(lambda y, scale=scale: scale * exact(y), x).detach() - constant
        assert abs(gap.mean()) < 4 * gap.std() / len(x) ** 0.5


def test_a_gaussian_model_is_fitted_by_maximum_likelihood():
    m, log_v = torch.zeros(3).double().requires_grad_(), torch.zeros(1).double().requires_grad_()
    optimiser = torch.optim.LBFGS([m, log_v], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = implicit_loss(lambda y: (m - y) / log_v.exp(), X).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert (m - X.mean(0)).abs().max() < 1e-5
    assert log_v.exp().item() == pytest.approx(X.var(0, unbiased=False).mean().item(), rel=1e-5)


@pytest.mark.parametrize("loss", [implicit_loss, sliced_loss])
def test_a_point_does_not_depend_on_its_batch(loss):
    options = {"generator": mt.generators(1, 5)} if loss is sliced_loss else {}
    alone = {"generator": mt.generators(1, 5)[2:3]} if loss is sliced_loss else {}
    assert (loss(linear, X, **options)[2:3] - loss(linear, X[2:3], **alone)).abs().max() < 1e-12


def test_it_works_under_no_grad():
    with torch.no_grad():
        assert implicit_loss(linear, X).shape == (5,)
