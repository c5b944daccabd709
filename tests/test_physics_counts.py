"""Counts, magnitudes and speckle against their textbook densities; PET and its maximum likelihood."""

import pytest
import torch
from refusals import refused_in_one_sentence
from scipy import stats

import medtut as mt
from medtut.errors import BadInput
from medtut.physics.ct import CT, parallel_beam
from medtut.physics.likelihoods import (
    PoissonProblem,
    RicianProblem,
    SpeckleProblem,
    emission,
    low_dose,
    poisson,
    rician,
    speckle,
)
from medtut.physics.pet import PET, background, mlem, survival
from medtut.physics.phase import PhaseRetrieval
from medtut.physics.pixels import Inpainting

SEE = Inpainting(torch.ones(1, 1))
P = CT(parallel_beam(24, 24, 20))


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def disc(radius=8.0):
    v, u = torch.meshgrid(torch.arange(24) - 11.5, torch.arange(24) - 11.5, indexing="ij")
    return (v**2 + u**2 < radius**2).float()[None, None]


def pet(width=1.0, sensitivity=400.0):
    return PET(P, survival(P, disc(10.0), 2.0), width, sensitivity)


DENSITIES = {
    "poisson": (
        PoissonProblem,
        2.0,
        lambda y, a: stats.poisson.logpmf(y.round(), a + 2.0),
    ),
    "rician": (RicianProblem, 0.7, lambda y, a: stats.rice.logpdf(y, a / 0.7, scale=0.7)),
    "speckle": (SpeckleProblem, 3, lambda y, a: stats.gamma.logpdf(y, 3, scale=a / 3)),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_losses_are_minus_the_logarithm_of_the_density(name):
    problem, setting, logpdf = DENSITIES[name]
    y = (8 * torch.rand(2, 1, 3, 4, generator=g(), dtype=torch.float64)).ceil()
    problem = problem(SEE, y, setting)
    a, b = (0.2 + 5 * torch.rand(y.shape, generator=g(i), dtype=torch.float64) for i in (1, 2))
    expected = (logpdf(y.numpy(), b.numpy()) - logpdf(y.numpy(), a.numpy())).reshape(2, -1).sum(1)
    torch.testing.assert_close(problem.loss(a) - problem.loss(b), torch.from_numpy(expected))
    step = 1e-5 * torch.randn(y.shape, generator=g(3), dtype=torch.float64)
    slope = problem.loss(a + step) - problem.loss(a - step)
    torch.testing.assert_close((problem.grad(a) * 2 * step).flatten(1).sum(1), slope, rtol=1e-6, atol=1e-12)
    twice = problem.repeat(2).loss(a.repeat_interleave(2, 0))
    torch.testing.assert_close(twice, problem.loss(a).repeat_interleave(2))


def test_moments_of_what_is_drawn():
    x, n = torch.full((2, 1, 200, 250), 3.0), 200 * 250
    y = emission(SEE, x, 1.0, g(), crime=True).y
    assert torch.equal(y, y.round())
    assert (y.mean((1, 2, 3)) - 4).abs().max() < 4 * (4 / n) ** 0.5
    assert (y.var((1, 2, 3)) / 4 - 1).abs().max() < 4 * (3 / n) ** 0.5
    y = rician(SEE, x, 0.8, g(), crime=True).y
    assert (y.square().mean((1, 2, 3)) - (9 + 2 * 0.64)).abs().max() < 4 * 2 * 3 * 0.8 / n**0.5
    y = speckle(SEE, x, 2, g(), crime=True).y
    assert (y.mean((1, 2, 3)) - 3).abs().max() < 4 * 3 / (2 * n) ** 0.5
    assert (y.var((1, 2, 3)) / 4.5 - 1).abs().max() < 0.06


@pytest.mark.parametrize(
    "draw",
    [
        lambda x, s: emission(SEE, x, 0.0, s, crime=True),
        lambda x, s: rician(SEE, x, 0.5, s, crime=True),
        lambda x, s: speckle(SEE, x, 2, s, crime=True),
        lambda x, s: low_dose(P, x, 100, 3.0, s, crime=True),
    ],
)
def test_data_of_a_sample_are_the_same_in_any_batch(draw):
    x = disc().repeat(3, 1, 1, 1)
    together, alone = draw(x, mt.generators(4, 3)), draw(x[2:], mt.generators(4, 3)[2:])
    torch.testing.assert_close(together.y[2:], alone.y)
    assert not torch.equal(together.y[0], together.y[1])


def test_a_negative_rate_is_pushed_back():
    problem = PoissonProblem(SEE, torch.full((1, 1, 1, 1), 3.0))
    x = torch.full((1, 1, 1, 1), -0.5)
    assert problem.grad(x).item() == pytest.approx(1 - 3 / 0.1)
    assert problem.loss(x) > problem.loss(0 * x) > problem.loss(0 * x + 1)
    assert problem.loss(0 * x + 3).item() == pytest.approx(0, abs=1e-6)


def test_low_dose_noise_is_white_after_weighting():
    x = disc().repeat(6, 1, 1, 1)
    problem = low_dose(P, x, 2e4, 4.0, g(), crime=True)
    chi = problem.chi_square(x)
    assert (chi - 1).abs().max() < 4 * (2 / problem.A.count(problem.y).min()) ** 0.5
    y = problem.y / problem.A.weight
    behind = P(x) > 0.6 * P(x).max()
    ahead = P(x) == 0
    noise = y - P(x)
    assert noise[ahead].std().item() == pytest.approx(1 / (4 * 2e4**0.5), rel=0.1)
    assert noise[behind].std() > 2 * noise[ahead].std()  # where few photons arrive
    honest = low_dose(P, x, 2e4, 4.0, g())
    assert honest.A.A is P
    assert honest.chi_square(x).min() > 1.2 * chi.max()  # its detector was out of place


def test_pet_is_an_attenuated_blurred_projection():
    x = disc()
    plain = PET(P, torch.full((1, 1, 20, P.geometry.bins), 0.5), 0.0, 3.0)
    torch.testing.assert_close(plain(x), 1.5 * P(x))
    blurred = PET(P, torch.ones(1, 1, 20, P.geometry.bins), 1.2)
    torch.testing.assert_close(blurred(x).sum(-1), P(x).sum(-1), rtol=1e-4, atol=0)
    assert (blurred(x) - P(x)).abs().max() > 0.02
    middle = survival(P, disc(), 2.0).amin(-1).mean()
    assert middle.item() == pytest.approx(float(torch.exp(torch.tensor(-2 * 16 / 24))), rel=0.03)
    assert survival(P, disc(), 2.0).max() == 1
    assert pet().scanner().width == pytest.approx(1.1)


def test_background():
    trues = pet()(disc())
    scatter = background(trues, 0.4, 0.0)
    assert scatter.sum().item() == pytest.approx(0.4 * trues.sum().item(), rel=1e-5)
    assert scatter.std() < 0.4 * trues.std()
    both = background(trues, 0.4, 0.5)
    torch.testing.assert_close(both - scatter, torch.full_like(both, 0.5 * trues.mean().item()))


def test_maximum_likelihood_keeps_the_counts_and_climbs():
    A, x = pet(), disc()
    problem = emission(A, x, 0.0, g(), crime=True)
    for iters in (1, 4):
        estimate = mlem(problem, iters)
        assert A(estimate).sum().item() == pytest.approx(problem.y.sum().item(), rel=1e-4)
    known = background(A(x), 0.4, 0.3)
    problem = emission(A, x, known, g(), crime=True)
    losses = [problem.loss(mlem(problem, iters)).item() for iters in (1, 2, 4, 8, 16)]
    assert losses == sorted(losses, reverse=True)
    estimate = mlem(problem, 12)
    assert estimate.min() >= 0
    error = (estimate - x).square().mean().sqrt()
    assert error < 0.3
    ignoring = mlem(PoissonProblem(A, problem.y), 12)  # scatter and randoms taken for the patient
    assert ignoring.sum() > 1.4 * estimate.sum()
    assert estimate.sum().item() == pytest.approx(x.sum().item(), rel=0.06)


def test_the_scanner_makes_the_data_unless_the_crime_is_explicit():
    A, x = pet(), disc()
    assert emission(A, x, 0.0, g()).A is A
    same, other = emission(A, x, 0.0, g(), crime=True).y, emission(A, x, 0.0, g()).y
    assert not torch.equal(same, other)
    with pytest.raises(BadInput, match="inverse crime"):
        emission(PhaseRetrieval(), x)


BAD = {
    "negative mean": (lambda: poisson(torch.tensor([-1.0])), "negative"),
    "negative counts": (lambda: PoissonProblem(SEE, torch.tensor([-1.0])), "negative"),
    "complex magnitudes": (lambda: RicianProblem(SEE, torch.ones(1, 1, 2, 2) * 1j, 1.0), "complex"),
    "no noise": (lambda: RicianProblem(SEE, torch.ones(1, 1, 2, 2), 0.0), "noise_std = 0.0"),
    "no looks": (lambda: SpeckleProblem(SEE, torch.ones(1, 1, 2, 2), 0), "got 0 looks"),
    "NaN mean": (lambda: poisson(torch.tensor([float("nan")])), "undefined"),
    "survival above 1": (lambda: PET(P, torch.full((1, 1, 20, P.geometry.bins), 1.5), 1.0), "from 0 to 1"),
    "too coarse": (lambda: PET(P, torch.ones(1, 1, 20, P.geometry.bins), 9.0), "9.0 pixels"),
    "survival of another shape": (lambda: PET(P, torch.ones(1, 1, 4, 4), 1.0), r"\(1, 1, 4, 4\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_sentence(name):
    refused_in_one_sentence(*BAD[name])
