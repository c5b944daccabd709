"""PnP-ADMM, RED and Single-Shot PnP: their papers' lines, the fixed points that algebra gives, refusals."""

import pytest
import torch
from posterior_worlds import COV, DATA, EYE, GAIN, MU, NOISE, NONLINEAR, WORLD, Dense, same_alone, shrink
from torch import nn

import medtut as mt
from medtut.errors import BadInput
from medtut.nets_implicit import Implicit
from medtut.operators import InverseProblem
from medtut.physics.pixels import Inpainting
from medtut.posterior import pnp_admm, red, single_shot_pnp

ONE = InverseProblem(Dense(GAIN), DATA[None], NOISE)
ZERO = torch.zeros(1, 1, 4).double()
FIT, PULL = (
    GAIN.T @ GAIN / NOISE**2,
    GAIN.T @ DATA / NOISE**2,
)  # the gradient of the data term is FIT x - PULL
TILTED = shrink(0.7) + 0.1 * torch.tensor([[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]).double()
SHIFT = torch.tensor([0.1, -0.2, 0.0, 0.3]).double()


def tilted(x, sigma):
    """A linear denoiser that no density has: its matrix is not symmetric."""
    return x @ TILTED.T + SHIFT


def constant(s, n):
    return torch.cat([torch.full((n,), s, dtype=torch.float64), torch.zeros(1).double()])


def end(method, denoise, sigmas, **knobs):
    return mt.last(method(denoise, ONE, sigmas, ZERO, **knobs)).flatten()


# --- the papers' own lines ---------------------------------------------------------------------------------


def test_pnp_admm_is_the_papers_algorithm():
    """rho and the scaled dual u, the level sqrt(lam / rho) as [chan2017plug] writes it; rho is constant."""
    rho, lam, x0 = 3.0, 0.6, torch.tensor([0.3, -1.0, 2.0, 0.5]).double()
    level = (lam / rho) ** 0.5
    v, u = x0, 0 * x0
    states = pnp_admm(WORLD.denoise, ONE, constant(level, 7), x0[None, None], lam=lam)
    for state in states:
        x = torch.linalg.solve(FIT + rho * EYE, PULL + rho * (v - u))
        v = shrink(level) @ (x + u)
        u = u + (x - v)
        torch.testing.assert_close(state.x.flatten(), x, rtol=0, atol=1e-10)
        torch.testing.assert_close(state.x0hat.flatten(), v, rtol=0, atol=1e-10)
    assert state.step == 6


def test_red_is_the_papers_fixed_point_iteration():
    """x = (A^T A / noise^2 + lam I)^-1 (A^T y / noise^2 + lam D(x)), whose lam is ours over s^2."""
    lam, s, x = 0.6, 0.7, torch.tensor([0.3, -1.0, 2.0, 0.5]).double()
    for state in red(tilted, ONE, constant(s, 7), x[None, None], lam=lam * s**2):
        x = torch.linalg.solve(FIT + lam * EYE, PULL + lam * (TILTED @ x + SHIFT))
        torch.testing.assert_close(state.x.flatten(), x, rtol=0, atol=1e-10)
    assert state.step == 6


# --- fixed points ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("s", [0.4, 1.5])
def test_pnp_admm_finds_the_mode_of_a_gaussian_at_any_level(s):
    """The mode is the mean; the exact denoiser is the proximal map of -s^2 log p(x0) for every s."""
    assert (end(pnp_admm, WORLD.denoise, constant(s, 500)) - MU).abs().max() < 1e-6
    strong = torch.linalg.solve(FIT + 3 * torch.linalg.inv(COV), PULL)
    assert (strong - MU).norm() > 0.1
    assert (end(pnp_admm, WORLD.denoise, constant(s, 500), lam=3.0) - strong).abs().max() < 1e-6


def test_pnp_admm_stays_at_the_fixed_point_when_the_level_changes():
    sigmas = torch.cat([torch.full((500,), 1.0), torch.tensor([0.8, 0.3, 0.1, 0.0])]).double()
    for state in list(pnp_admm(WORLD.denoise, ONE, sigmas, ZERO))[-3:]:
        assert (state.x.flatten() - MU).abs().max() < 1e-6


@pytest.mark.parametrize("s", [0.4, 1.5])
def test_red_finds_the_mode_under_a_blurred_gaussian(s):
    blurred = torch.linalg.solve(FIT + torch.linalg.inv(COV + s**2 * EYE), PULL)
    assert (blurred - MU).norm() > 0.05
    assert (end(red, WORLD.denoise, constant(s, 1000)) - blurred).abs().max() < 1e-6


def test_reds_bias_ends_with_the_level():
    """1 / cov and 1 / (cov + s^2) differ by s^2 at most: half the level, a quarter of the bias."""
    bias = [(end(red, WORLD.denoise, constant(s, 4000)) - MU).norm() for s in (0.2, 0.1)]
    assert 3.3 < bias[0] / bias[1] < 4.0


def test_fixed_points_of_any_linear_denoiser():
    """w is -grad f / lam, so W (x + s^2 w) + c = x; and lam (x - W x - c) / s^2 = -grad f for RED."""
    s, lam = 0.9, 0.8
    back = torch.linalg.inv(TILTED)
    admm = torch.linalg.solve(FIT + lam / s**2 * (back - EYE), PULL + lam / s**2 * back @ SHIFT)
    fixed = torch.linalg.solve(FIT + lam / s**2 * (EYE - TILTED), PULL + lam / s**2 * SHIFT)
    assert (admm - fixed).norm() > 0.1
    assert (end(pnp_admm, tilted, constant(s, 2000), lam=lam) - admm).abs().max() < 1e-6
    assert (end(red, tilted, constant(s, 2000), lam=lam) - fixed).abs().max() < 1e-6


def test_on_a_mixture_red_stops_where_the_blurred_posterior_is_flat():
    two = mt.GaussianMixture(
        torch.tensor([0.3, 0.7]).double(),
        torch.stack([0 * ZERO[0], ZERO[0] + 1.5]),
        torch.stack([COV, COV / 4]),
    )
    s = 0.5
    x = mt.last(red(two.denoise, ONE, constant(s, 2000), ZERO)).requires_grad_()
    (slope,) = torch.autograd.grad(two.log_prob(x, s).sum() - ONE.loss(x).sum() / NOISE**2, x)
    assert slope.abs().max() < 1e-6
    (other,) = torch.autograd.grad(two.log_prob(x, 0.0).sum() - ONE.loss(x).sum() / NOISE**2, x)
    assert other.abs().max() > 0.1


# one number, x0 = -1 or 1 with a width of 0.3; y = 0.4 with noise of 0.8
SCALAR = mt.GaussianMixture(
    torch.tensor([0.5, 0.5]).double(),
    torch.tensor([[[-1.0]], [[1.0]]]).double(),
    torch.full((2, 1, 1), 0.09).double(),
)
COIN = InverseProblem(Dense(torch.ones(1, 1).double()), torch.tensor([[0.4]]).double(), 0.8)


def scalar(s):
    sigmas = constant(s, 2000)
    return float(mt.last(pnp_admm(SCALAR.denoise, COIN, sigmas, torch.tensor([[[0.4]]]).double())))


def test_pnp_admm_leads_from_the_mode_to_a_convex_penalty_and_misses_the_mean():
    x = torch.linspace(-4, 4, 80_001).double()
    log_likelihood = -((x - 0.4) ** 2) / (2 * 0.8**2)
    log_p = SCALAR.log_prob(x[:, None, None]) + log_likelihood
    mode, mean = float(x[log_p.argmax()]), float((x * log_p.softmax(0)).sum())
    # a wide level tilts the prior: D(x + s^2 w) is the mean of p(x0) exp(w x0) when s grows
    w = (0.4 - x) / 0.8**2
    tilted_mean = 0.09 * w + torch.tanh(w)
    wide = float(x[(tilted_mean - x).abs().argmin()])
    assert abs(scalar(0.05) - mode) < 0.01
    assert abs(scalar(30.0) - wide) < 0.01
    assert wide + 0.2 < mean < mode - 0.2


# --- one image ---------------------------------------------------------------------------------------------


class Plane(nn.Module):
    """A network whose images are a plane: two of four directions."""

    def __init__(self):
        super().__init__()
        self.at = nn.Parameter(torch.zeros(1, 2).double())
        self.register_buffer("axes", torch.linalg.qr(COV[:, :2] + EYE[:, 1:3])[0])

    def forward(self):
        return (self.at @ self.axes.T)[:, None]


def test_single_shot_pnp_finds_the_best_image_that_its_network_can_draw():
    """Fitted to the end, the network projects: ADMM then solves least squares within the plane."""
    net = Plane()
    B = net.axes
    best = B @ torch.linalg.solve(B.T @ FIT @ B, B.T @ PULL)
    knobs = {"first_steps": 400, "fit_steps": 60, "lr": 0.02, "lam": 2.0}
    x = mt.last(single_shot_pnp(net, ONE, constant(0.5, 120), ZERO, **knobs)).flatten()
    assert (x - best).abs().max() < 1e-3
    assert (x - MU).abs().max() > 0.1


def test_single_shot_pnp_is_admm_whose_denoiser_is_the_fit():
    net, knobs = Plane(), {"first_steps": 400, "fit_steps": 200, "lr": 0.02}
    ours = single_shot_pnp(net, ONE, constant(0.5, 4), ZERO + 1, lam=2.0, **knobs)
    onto = net.axes @ net.axes.T
    exact = pnp_admm(lambda x, s: x @ onto, ONE, constant(0.5, 4), ZERO + 1, lam=2.0)
    for one, other in zip(ours, exact, strict=True):
        torch.testing.assert_close(one.x, other.x, rtol=0, atol=2e-3)


def smooth(n=16):
    y, x = torch.meshgrid(torch.linspace(-1, 1, n), torch.linspace(-1, 1, n), indexing="ij")
    return torch.stack([(3 * x + y).sin(), (2 * y * x).cos()])[:, None]


def test_single_shot_pnp_fills_gaps_from_one_image_if_its_waves_are_long():
    truth = smooth()
    mask = (torch.rand(16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    A = Inpainting(mask)
    problem = mt.simulate(A, truth, 0.05, mt.generators(1, 2), crime=True)
    missing = (mask == 0).expand_as(truth)

    def error(omega):
        net = Implicit(truth.shape, "sine", width=32, omega=omega, generator=mt.generators(2, 2))
        x = mt.last(single_shot_pnp(net, problem, constant(0.1, 20), A.adjoint(problem.y), lr=3e-3))
        return (x - truth)[missing].square().mean() / truth[missing].square().mean()

    assert error(2.0) < 0.03
    assert error(8.0) > 0.3  # it can draw the gaps as well


def test_a_single_shot_does_not_depend_on_its_batch():
    truth = smooth().double().repeat(2, 1, 1, 1)[:3]
    A = Inpainting((torch.rand(16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).double())
    y = A(truth) + 0.1 * mt.randn_like(truth, mt.generators(1, 3))

    def run(rows):
        shape = (len(rows), 1, 16, 16)
        own = [mt.generators(2, 3)[i] for i in rows]
        net = Implicit(shape, "gabor", width=8, generator=own).double()
        problem = InverseProblem(A, y[rows], 0.1)
        states = list(single_shot_pnp(net, problem, constant(0.1, 3), y[rows], first_steps=5, fit_steps=3))
        assert not states[-1].x.requires_grad
        assert not states[-1].x0hat.requires_grad
        return states[-1].x

    together = run([0, 1, 2])
    assert (together[1] - together[0]).abs().max() > 0.1
    for i in range(3):
        assert (run([i]) - together[i]).abs().max() < 1e-10


# --- batches and refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [pnp_admm, red])
def test_a_sample_does_not_depend_on_its_batch(method):
    states = same_alone(method, cg_steps=200)
    assert len(states) == 8


@pytest.mark.parametrize("method", [pnp_admm, red, single_shot_pnp])
def test_what_is_not_linear_is_refused(method):
    prior = Plane() if method is single_shot_pnp else WORLD.denoise
    with pytest.raises(BadInput, match="use dps"):
        next(method(prior, NONLINEAR, constant(0.5, 3), ZERO))
