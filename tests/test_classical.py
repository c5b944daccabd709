"""The baselines: optimal where they minimise something, exact where they are exact."""

import pytest
import torch

import medtut as mt
from medtut.errors import BadInput
from medtut.operators import InverseProblem, dot, simulate
from medtut.physics.mri import MRI, cartesian_mask, coil_maps
from medtut.physics.pixels import Inpainting
from medtut.posterior import (
    FittedGaussian,
    cg_sense,
    fit_gaussian,
    gaussian_map,
    gaussian_sample,
    total_variation,
    zero_filled,
)
from medtut.posterior.classical import gradient, gradient_adjoint, tv_norm


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def blocks(b, h=24, w=20):
    """Piecewise constant complex images."""
    coarse = torch.randn(b, 2, h // 4, w // 4, generator=g())
    return coarse.repeat_interleave(4, -1).repeat_interleave(4, -2)


def scan(n, x, noise=0.02):
    A = MRI(cartesian_mask(*x.shape[-2:], 2, 0.2, generator=g(1)), coil_maps(n, *x.shape[-2:], g(2)))
    return simulate(A, x, noise, mt.generators(3, len(x)), crime=True)


COILS = pytest.mark.parametrize("n", [1, 4])


def test_zero_filling_is_the_adjoint():
    problem = scan(4, blocks(2))
    assert torch.equal(zero_filled(problem), problem.A.adjoint(problem.y))


@COILS
def test_cg_sense_solves_its_normal_equations(n):
    problem = scan(n, blocks(2).double())
    x = cg_sense(problem, 0.05, 200)
    slope = problem.grad(x) + 0.05 * x
    assert dot(slope, slope).max() < 1e-16


def test_gradient_and_its_adjoint():
    x, d = torch.randn(2, 2, 5, 7).double(), torch.randn(2, 2, 2, 5, 7).double()
    torch.testing.assert_close(dot(gradient(x), d), dot(x, gradient_adjoint(d)))
    assert dot(gradient(x), gradient(x)).max() < 8 * dot(x, x).max()
    step = torch.zeros(1, 2, 5, 7)
    step[:, 0, 2:], step[:, 1, 2:] = 3, 4
    assert tv_norm(step) == pytest.approx(5 * 7)  # one edge of height |3 + 4i| and length 7


@pytest.mark.parametrize(("n", "weight"), [(1, 0.003), (4, 0.03)])
def test_total_variation_has_converged(n, weight):
    problem = scan(n, blocks(2))

    def value(x):
        return problem.loss(x) + weight * tv_norm(x)

    short, long = total_variation(problem, weight, 300), total_variation(problem, weight, 3000)
    assert ((value(short) - value(long)) < 5e-3 * value(long)).all()
    assert (value(long) <= value(short) * (1 + 1e-5)).all()
    assert (dot(short - long, short - long) < 1e-3 * dot(long, long)).all()
    for seed in range(5):  # a minimum: every small step away costs
        away = 0.01 * torch.randn(long.shape, generator=g(seed))
        assert (value(long + away) > value(long)).all()
    along = long * 1.01
    assert (value(along) > value(long)).all()


def test_total_variation_matches_a_denoising_solution_known_by_hand():
    """Two flat halves with values 0 and 1 move towards each other by weight * edge / area."""
    x = torch.zeros(1, 1, 8, 8)
    x[..., 4:] = 1
    problem = InverseProblem(Inpainting(torch.ones(8, 8)), x, 0.1)
    found = total_variation(problem, 0.4, 1000)
    expected = torch.where(x > 0.5, 1 - 0.4 * 8 / 32, 0.4 * 8 / 32)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@COILS
def test_no_baseline_reads_the_batch(n):
    x = blocks(3).double() * torch.tensor([0.01, 1.0, 100.0]).reshape(3, 1, 1, 1)
    problem = scan(n, x)
    alone = InverseProblem(problem.A, problem.y[1:2], problem.noise_std)
    prior = fit_gaussian(blocks(40).double(), 4)
    for method in (
        zero_filled,
        cg_sense,
        lambda p: total_variation(p, 0.01, 50),
        lambda p: gaussian_map(p, prior, 10),
    ):
        one, together = method(alone), method(problem)[1:2]
        assert (one - together).abs().max() < 1e-10 * (1 + one.abs().max())


# --- the fitted Gaussian -----------------------------------------------------------------------------------

H, W = 6, 5
IMAGES = torch.randn(60, 2, H, W, generator=g(), dtype=torch.float64).cumsum(-1) / 3
PRIOR = fit_gaussian(IMAGES, 4)
UNIT = torch.eye(2 * H * W, dtype=torch.float64).reshape(-1, 2, H, W)
COV = PRIOR.covariance(UNIT).flatten(1)
EXACT = mt.Gaussian(PRIOR.mean, COV)


def test_covariance_is_symmetric_positive_and_made_of_the_fields():
    torch.testing.assert_close(COV, COV.T)
    assert torch.linalg.eigvalsh(COV).min() > 0
    trace = PRIOR.factors.square().sum() + 2 * PRIOR.spectrum.sum()
    torch.testing.assert_close(COV.trace(), trace)


@pytest.mark.parametrize("sigma", [0.01, 0.5, 20.0])
def test_denoiser_is_that_of_the_same_gaussian_as_a_matrix(sigma):
    x = torch.randn(3, 2, H, W, dtype=torch.float64, generator=g()) * sigma
    torch.testing.assert_close(PRIOR.denoise(x, sigma), EXACT.denoise(x, sigma), rtol=1e-8, atol=1e-8)


def test_samples_have_mean_and_covariance():
    draws = PRIOR.sample(20000, g()).flatten(1)
    error = draws.T.cov() - COV
    se = ((COV.diag()[:, None] * COV.diag() + COV**2) / 20000).sqrt()
    assert (error.abs() / se).square().mean() < 1.1
    assert (draws.mean(0) - PRIOR.mean.flatten()).abs().max() < 5 * (COV.diag().max() / 20000) ** 0.5


@pytest.mark.parametrize("n", [1, 3])
def test_posterior_mean_is_that_of_the_matrix(n):
    A = MRI(cartesian_mask(H, W, 2, 0.2, generator=g(1)), coil_maps(n, H, W, g(2)).to(torch.complex128))
    problem = simulate(A, IMAGES[:2], 0.1, g(4), crime=True)
    found = gaussian_map(problem, PRIOR, 60)
    for i in range(2):
        exact = EXACT.posterior(A, problem.y[i], 0.1)
        torch.testing.assert_close(found[i], exact.mean, rtol=1e-6, atol=1e-6)


def test_one_preconditioned_step_is_enough_for_one_coil():
    problem = scan(1, IMAGES[:2], 0.1)
    torch.testing.assert_close(
        gaussian_map(problem, PRIOR, 1), gaussian_map(problem, PRIOR, 50), atol=1e-6, rtol=1e-6
    )


def test_exact_posterior_draws():
    A = MRI(cartesian_mask(H, W, 2, 0.2, generator=g(1)), coil_maps(2, H, W, g(2)).to(torch.complex128))
    one = simulate(A, IMAGES[:1], 0.3, g(4), crime=True)
    many = one.repeat(4000)
    draws = gaussian_sample(many, PRIOR, g(5), 40).flatten(1)
    exact = EXACT.posterior(A, one.y[0], 0.3)
    se = ((exact.cov.diag()[:, None] * exact.cov.diag() + exact.cov**2) / 4000).sqrt()
    assert ((draws.T.cov() - exact.cov) / se).square().mean() < 1.15
    assert ((draws.mean(0) - exact.mean.flatten()).square() / exact.cov.diag() * 4000).mean() < 1.8


def test_the_fit_denoises_nearly_as_well_as_the_world_it_was_fitted_to():
    factors = torch.randn(3, 2, H, W, generator=g(6), dtype=torch.float64)
    world = FittedGaussian(PRIOR.mean, factors, PRIOR.spectrum)
    fitted, poor = (fit_gaussian(world.sample(1000, g(7)), rank) for rank in (3, 1))
    x0 = world.sample(2000, g(8))
    x = x0 + 0.5 * torch.randn(x0.shape, generator=g(9), dtype=x0.dtype)
    best, ours, worse = (float((p.denoise(x, 0.5) - x0).square().mean()) for p in (world, fitted, poor))
    assert best < ours < 1.03 * best
    assert worse > 1.1 * best
    trace = fitted.factors.square().sum() + 2 * fitted.spectrum.sum()
    assert abs(trace / (factors.square().sum() + 2 * world.spectrum.sum()) - 1) < 0.05


def test_too_few_images_are_refused():
    with pytest.raises(BadInput, match="at least 80"):
        fit_gaussian(IMAGES, 40)
