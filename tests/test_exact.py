"""The closed-form worlds against Bayes' rule, automatic differentiation and each other."""

import pytest
import torch

import medtut as mt

DOUBLE = {"dtype": torch.float64}


def spread(seed, n, d):
    root = torch.randn(n, d, d, generator=torch.Generator().manual_seed(seed), **DOUBLE) * 0.6
    return root @ root.mT + 0.02 * torch.eye(d)


GAUSSIAN = mt.Gaussian(torch.arange(6.0).double().reshape(1, 2, 3) / 5, spread(0, 1, 6)[0])
MIXTURE = mt.GaussianMixture(
    torch.tensor([0.2, 0.5, 0.3], **DOUBLE),
    mt.randn((3, 1, 2, 3), mt.generators(4, 3), GAUSSIAN.cov),
    spread(1, 3, 6),
)
SYMMETRIC = (
    torch.fft.fft2(torch.randn(1, 4, 5, generator=torch.Generator().manual_seed(2), **DOUBLE)).abs() ** 2
)
STATIONARY = mt.StationaryGaussian(torch.full((1, 4, 5), 0.5, **DOUBLE), SYMMETRIC / 10)
WORLDS = {"gaussian": GAUSSIAN, "mixture": MIXTURE, "stationary": STATIONARY}


def noisy(world, n=5):
    shape = (world.means[0] if world is MIXTURE else world.mean).shape
    return mt.randn((n, *shape), mt.generators(9, n), GAUSSIAN.cov) * 1.5


def test_the_running_example_of_the_book():
    """Prior variance 1, noise variance 0.25, y = 1: mean 0.8, variance 0.2."""
    prior = mt.Gaussian(torch.zeros(1, 1, **DOUBLE), torch.eye(1, **DOUBLE))
    after = prior.posterior(torch.eye(1), torch.ones(1), 0.5)
    assert after.mean.item() == pytest.approx(0.8)
    assert after.cov.item() == pytest.approx(0.2)
    assert prior.denoise(torch.ones(1, 1, 1, **DOUBLE), 0.5).item() == pytest.approx(0.8)


@pytest.mark.parametrize("name", WORLDS)
def test_denoising_is_the_posterior_mean_of_a_direct_measurement(name):
    world, x = WORLDS[name], noisy(WORLDS[name])
    d = x[0].numel()
    for s in (0.05, 0.7, 4.0):
        for one, got in zip(x, world.denoise(x, s), strict=True):
            after = world.posterior(torch.eye(d, **DOUBLE), one.flatten(), s)
            mean = (
                after.mean if name != "mixture" else torch.einsum("k,k...->...", after.weights, after.means)
            )
            assert (got - mean).abs().max() < 1e-9


@pytest.mark.parametrize("name", ["gaussian", "mixture"])
def test_tweedie(name):
    """D(x, sigma) - x = sigma^2 * gradient of log p(x; sigma)."""
    world, x = WORLDS[name], noisy(WORLDS[name]).requires_grad_()
    for s in (0.1, 1.0, 3.0):
        (score,) = torch.autograd.grad(world.log_prob(x, s).sum(), x)
        assert (world.denoise(x, s) - x - s**2 * score).abs().max() < 1e-9


def test_log_prob_is_the_library_s():
    normal = torch.distributions.MultivariateNormal
    x, flat = noisy(GAUSSIAN), noisy(GAUSSIAN).flatten(1)
    for s in (0.0, 0.8):
        blur = s**2 * torch.eye(6)
        want = normal(GAUSSIAN.mean.flatten(), GAUSSIAN.cov + blur).log_prob(flat)
        assert torch.allclose(GAUSSIAN.log_prob(x, s), want, atol=1e-10)
        parts = normal(MIXTURE.means.flatten(1), MIXTURE.covs + blur)
        mix = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(MIXTURE.weights), parts)
        assert torch.allclose(MIXTURE.log_prob(x, s), mix.log_prob(flat), atol=1e-10)


def test_posterior_in_its_two_algebraic_forms():
    A = torch.randn(3, 6, generator=torch.Generator().manual_seed(5), **DOUBLE)
    y = torch.tensor([0.3, -1.0, 2.0], **DOUBLE)
    after = GAUSSIAN.posterior(A, y, 0.4)
    precision = torch.linalg.inv(GAUSSIAN.cov) + A.T @ A / 0.16
    mean = torch.linalg.solve(
        precision, torch.linalg.solve(GAUSSIAN.cov, GAUSSIAN.mean.flatten()) + A.T @ y / 0.16
    )
    assert torch.allclose(after.cov, torch.linalg.inv(precision), atol=1e-9)
    assert torch.allclose(after.mean.flatten(), mean, atol=1e-9)


def test_mixture_posterior_is_bayes_rule():
    """log prior + log likelihood - log posterior is the same number everywhere."""
    A = torch.randn(2, 6, generator=torch.Generator().manual_seed(6), **DOUBLE)
    y, x = torch.tensor([0.5, -0.2], **DOUBLE), noisy(MIXTURE)
    after = MIXTURE.posterior(A, y, 0.6)
    likelihood = -((y - x.flatten(1) @ A.T) ** 2).sum(1) / (2 * 0.36)
    evidence = MIXTURE.log_prob(x) + likelihood - after.log_prob(x)
    assert evidence.std() < 1e-9
    assert MIXTURE.log_prob(x).std() > 0.1
    assert after.weights.sum().item() == pytest.approx(1)


def test_an_operator_with_complex_measurements():
    def A(x):
        return torch.fft.fft(x, norm="ortho")[..., :2]

    y = A(noisy(GAUSSIAN, 1))
    F = torch.fft.fft(torch.eye(3, **DOUBLE), norm="ortho")[:, :2].T
    rows = torch.view_as_real(torch.block_diag(F, F)).permute(0, 2, 1).reshape(-1, 6)
    got = GAUSSIAN.posterior(A, y, 0.3)
    want = GAUSSIAN.posterior(rows, torch.view_as_real(y), 0.3)
    assert (got.mean - want.mean).abs().max() < 1e-12
    assert (got.cov - want.cov).abs().max() < 1e-12


@pytest.mark.parametrize("name", WORLDS)
def test_samples_have_the_moments(name):
    world, n = WORLDS[name], 40_000
    draws = world.sample(n, torch.Generator().manual_seed(0)).flatten(1)
    if name == "mixture":
        flat = world.means.flatten(1)
        mean = world.weights @ flat
        off = flat - mean
        cov = torch.einsum("k,kij->ij", world.weights, world.covs + off[:, :, None] * off[:, None, :])
    else:
        dense = world.dense() if name == "stationary" else world
        mean, cov = dense.mean.flatten(), dense.cov
    sd = cov.diagonal().sqrt()
    assert ((draws.mean(0) - mean).abs() < 4.5 * sd / n**0.5).all()
    assert ((torch.cov(draws.T) - cov).abs() < 0.06 * sd[:, None] * sd).all()


@pytest.mark.parametrize("world", [*WORLDS.values(), mt.FiniteDataset(noisy(GAUSSIAN, 7))])
def test_a_list_of_generators_gives_each_sample_its_own_noise(world):
    assert torch.allclose(
        world.sample(5, mt.generators(1, 5))[:2], world.sample(2, mt.generators(1, 2)), atol=1e-12
    )


def test_a_data_set_is_a_mixture_of_points():
    images = noisy(GAUSSIAN, 7)
    data = mt.FiniteDataset(images)
    points = mt.GaussianMixture(torch.full((7,), 1 / 7, **DOUBLE), images, torch.zeros(7, 6, 6, **DOUBLE))
    x = noisy(GAUSSIAN, 4) * 0.8 + 0.1
    sigma = torch.tensor([0.2, 0.5, 1.0, 5.0], **DOUBLE)
    assert torch.allclose(data.weights(x, sigma), points.responsibilities(x, sigma), atol=1e-10)
    assert torch.allclose(data.denoise(x, sigma), points.denoise(x, sigma), atol=1e-10)


def test_a_data_set_s_denoiser_memorises_and_averages():
    data = mt.FiniteDataset(noisy(GAUSSIAN, 7))
    assert torch.allclose(data.denoise(data.images + 1e-3, 1e-4), data.images, atol=1e-12)
    assert torch.allclose(data.denoise(data.images[:1], 1e5), data.images.mean(0), atol=1e-6)
    assert torch.isfinite(data.denoise(data.images[:2], 0.0)).all()
    draws = data.sample(7000, torch.Generator().manual_seed(0))
    counts = (draws[:, None] == data.images).flatten(2).all(2).double().sum(0)
    assert counts.sum() == 7000
    assert ((counts - 1000).abs() < 4.5 * (1000 * 6 / 7) ** 0.5).all()


def test_stationary_denoiser_equals_its_dense_form():
    x, sigma = noisy(STATIONARY), torch.linspace(0.1, 3, 5, **DOUBLE)
    assert (STATIONARY.denoise(x, sigma) - STATIONARY.dense().denoise(x, sigma)).abs().max() < 1e-10


def test_a_fitted_spectrum_is_the_spectrum():
    fitted = mt.StationaryGaussian.fit(STATIONARY.sample(20_000, torch.Generator().manual_seed(3)))
    assert (fitted.spectrum / STATIONARY.spectrum - 1).abs().max() < 0.06
    assert (fitted.mean - 0.5).abs().max() < 0.06
