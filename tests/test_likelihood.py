"""Likelihood by the probability flow: right where it is known, unbiased with probes, and in honest bits."""

import itertools
import math

import pytest
import torch

import medtut as mt
from medtut.errors import BadInput
from medtut.samplers import likelihood as module
from medtut.samplers.likelihood import (
    bits_per_dim,
    dequantise,
    hutchinson_probes,
    log_likelihood,
    value_and_trace,
)

DOUBLE = torch.float64
ROOTS = torch.tensor(
    [[0.6, 0.0, 0.0, 0.0], [0.3, 0.4, 0.0, 0.0], [-0.2, 0.1, 0.5, 0.0], [0.1, 0.3, -0.2, 0.3]]
)
GAUSSIAN = mt.Gaussian(torch.tensor([0.5, -0.3, 0.2, 0.0], dtype=DOUBLE), (ROOTS @ ROOTS.T).double())
MIXTURE = mt.GaussianMixture(
    weights=torch.tensor([0.3, 0.7], dtype=DOUBLE),
    means=torch.tensor([[-1.0, 0.5], [1.0, 0.0]], dtype=DOUBLE),
    covs=torch.tensor([[[0.05, 0.02], [0.02, 0.05]], [[0.1, 0.0], [0.0, 0.02]]], dtype=DOUBLE),
)
every_sign = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=4)), dtype=DOUBLE)


@pytest.mark.parametrize(
    ("prior", "mean"),
    [(GAUSSIAN, GAUSSIAN.mean), (MIXTURE, MIXTURE.weights @ MIXTURE.means)],
    ids=["Gaussian", "mixture"],
)
def test_right_to_a_thousandth_of_a_bit(prior, mean):
    x = prior.sample(40, mt.generators(0, 40))
    found = log_likelihood(prior.denoise, x, sigma_min=0.01, sigma_max=200.0, mean=mean, rtol=1e-7, atol=1e-7)
    gap = (found.log_prob - prior.log_prob(x, 0.01)) / (x.shape[1] * math.log(2))
    assert gap.abs().max() < 1e-3
    end = prior.log_prob(found.latent, 200.0)  # with the true end only the solver's error is left
    z = (found.latent - mean) / 200.0
    used = -0.5 * (z.square() + math.log(2 * math.pi * 200.0**2)).sum(1)
    assert (found.log_prob - used + end - prior.log_prob(x, 0.01)).abs().max() < 1e-5


def test_the_end_bias_is_as_stated():
    """With mean 0 the error for a prior elsewhere falls as 1 / sigma_max, with its mean twice as fast."""
    x = GAUSSIAN.sample(30, mt.generators(1, 30))

    def miss(sigma_max, mean):
        found = log_likelihood(GAUSSIAN.denoise, x, sigma_min=0.01, sigma_max=sigma_max, mean=mean,
                               rtol=1e-9, atol=1e-9)
        return float((found.log_prob - GAUSSIAN.log_prob(x, 0.01)).square().mean().sqrt())

    assert 8 < miss(20.0, 0.0) / miss(200.0, 0.0) < 12
    assert 80 < miss(20.0, GAUSSIAN.mean) / miss(200.0, GAUSSIAN.mean) < 120
    assert miss(20.0, 0.0) == pytest.approx(float(GAUSSIAN.mean.norm()) / 20, rel=0.5)


def test_the_density_integrates_to_one():
    line = mt.GaussianMixture(
        weights=torch.tensor([0.4, 0.6], dtype=DOUBLE),
        means=torch.tensor([[-1.0], [1.0]], dtype=DOUBLE),
        covs=torch.tensor([[[0.04]], [[0.2]]], dtype=DOUBLE),
    )
    grid = torch.linspace(-4, 4, 401, dtype=DOUBLE)
    found = log_likelihood(line.denoise, grid[:, None], sigma_min=0.01, sigma_max=100.0, rtol=1e-6, atol=1e-6)
    assert float(torch.trapezoid(found.log_prob.exp(), grid)) == pytest.approx(1.0, abs=2e-3)


def test_trace_exact_and_by_probes():
    x, sigma = GAUSSIAN.sample(3, mt.generators(2, 3)), torch.tensor([0.1, 0.5, 2.0], dtype=DOUBLE)
    variances, vectors = GAUSSIAN.axes
    jacobians = [vectors @ torch.diag(variances / (variances + s**2)) @ vectors.T for s in sigma]
    x0hat, trace = value_and_trace(GAUSSIAN.denoise, x, sigma)
    torch.testing.assert_close(x0hat, GAUSSIAN.denoise(x, sigma))
    torch.testing.assert_close(trace[:, 0], torch.stack([J.trace() for J in jacobians]))
    _, by_sign = value_and_trace(GAUSSIAN.denoise, x, sigma, every_sign.expand(3, 16, 4))
    torch.testing.assert_close(by_sign.mean(1), trace[:, 0])  # unbiased: the mean over all sign vectors
    off = [2 * (J - J.diag().diag()).square().sum() for J in jacobians]
    torch.testing.assert_close(by_sign.var(1, unbiased=False), torch.stack(off))


def test_gaussian_probes_pay_for_the_diagonal():
    n, s = 20_000, 0.5
    zero = torch.zeros(1, 4, dtype=DOUBLE)
    probes = hutchinson_probes(zero, n, "gaussian", torch.Generator().manual_seed(0))
    variances, vectors = GAUSSIAN.axes
    J = vectors @ torch.diag(variances / (variances + s**2)) @ vectors.T
    _, found = value_and_trace(GAUSSIAN.denoise, zero, torch.tensor([s]).double(), probes)
    spread = float(found.std())
    assert float(found.mean()) == pytest.approx(float(J.trace()), abs=4 * spread / n**0.5)
    assert spread**2 == pytest.approx(float(2 * J.square().sum()), rel=0.1)
    signs = hutchinson_probes(torch.zeros(2, 4), 8, generator=mt.generators(3, 2))
    assert signs.shape == (2, 8, 4) and (signs.abs() == 1).all() and signs.unique().numel() == 2


def test_likelihood_by_probes_is_unbiased(monkeypatch):
    """Averaged over all 16 sign vectors it is the exact one; each alone is not."""
    x = GAUSSIAN.sample(2, mt.generators(4, 2))
    settings = {"sigma_min": 0.01, "rtol": 1e-8, "atol": 1e-8}
    exact = log_likelihood(GAUSSIAN.denoise, x, **settings)
    monkeypatch.setattr(module, "hutchinson_probes", lambda *args: every_sign.expand(2, 16, 4))
    found = log_likelihood(GAUSSIAN.denoise, x, probes=16, **settings)
    torch.testing.assert_close(found.log_prob, exact.log_prob, rtol=0, atol=1e-6)
    assert (found.each - exact.log_prob[:, None]).abs().max() > 0.1
    torch.testing.assert_close(found.each.mean(1), found.log_prob)


def test_images_keep_their_shape_and_their_own_result():
    square = torch.ones((1, 3, 3), dtype=DOUBLE)
    image = mt.StationaryGaussian(0.4 * square, 0.1 * square)
    x = image.sample(3, mt.generators(5, 3))
    found = log_likelihood(image.denoise, x, sigma_min=0.01, mean=image.mean, probes=2,
                           generator=mt.generators(6, 3))
    assert found.latent.shape == x.shape and found.each.shape == (3, 2)
    alone = log_likelihood(image.denoise, x[:1], sigma_min=0.01, mean=image.mean, probes=2,
                           generator=mt.generators(6, 1))
    torch.testing.assert_close(found.each[:1], alone.each, rtol=0, atol=1e-9)
    assert torch.equal(found.calls[:1], alone.calls)


def test_each_sample_keeps_its_probes():
    """Samples arrive after different numbers of steps; the others go on with their own probes."""
    x, rng = MIXTURE.sample(8, mt.generators(7, 8)), mt.generators(8, 8)
    settings = {"sigma_min": 0.01, "probes": 2}
    together = log_likelihood(MIXTURE.denoise, x, **settings, generator=rng)
    assert together.calls.unique().numel() > 1
    for i, g in enumerate(mt.generators(8, 8)):
        alone = log_likelihood(MIXTURE.denoise, x[i : i + 1], **settings, generator=[g])
        torch.testing.assert_close(together.each[i : i + 1], alone.each, rtol=0, atol=1e-9)


def test_bits_of_eight_bit_data():
    """A density that is 1 on [0, 1] says nothing: 8 bits; the unit of the data does not matter."""
    assert float(bits_per_dim(torch.zeros(()), 5, 256)) == pytest.approx(8.0)
    assert float(bits_per_dim(torch.tensor(-5 * math.log(2)), 5, 256, width=2.0)) == pytest.approx(8.0)
    assert float(bits_per_dim(torch.tensor(3 * math.log(2)), 3)) == pytest.approx(-1.0)


def test_dequantised_bits_bound_the_discrete_ones_from_above():
    """Averaged over its bin, -log2 p of the density exceeds -log2 of the bin's mass, and not by much."""
    edges = torch.linspace(0, 1, 9, dtype=DOUBLE)
    grid = (edges[:-1, None] + torch.linspace(0, 1, 201, dtype=DOUBLE) / 8).flatten()[:, None]
    line = mt.Gaussian(torch.tensor([0.45], dtype=DOUBLE), torch.tensor([[0.02]], dtype=DOUBLE))
    density = line.log_prob(grid).reshape(8, 201)
    mass = torch.trapezoid(density.exp(), dx=1 / 8 / 200)
    bits = torch.trapezoid(bits_per_dim(density, 1, 8), dx=1 / 200)
    assert (bits >= -mass.log2()).all() and (bits + mass.log2())[2:5].max() < 0.1


def test_dequantise():
    x = torch.tensor([0.0, 0.25, 0.5, 1.0, 1.2]).reshape(1, 5).expand(2000, 5)
    found = dequantise(x, generator=torch.Generator().manual_seed(1)) * 256
    assert (found.floor() == torch.tensor([0, 64, 128, 255, 255])).all()
    rest = found - found.floor()
    assert float(rest.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(rest.var()) == pytest.approx(1 / 12, rel=0.05)


def test_bad_input_is_refused():
    x = torch.zeros(1, 2)
    with pytest.raises(BadInput, match="sigma_min"):
        log_likelihood(GAUSSIAN.denoise, x, sigma_min=1.0, sigma_max=0.5)
    with pytest.raises(BadInput, match="rademacher"):
        hutchinson_probes(x, 2, "uniform")
