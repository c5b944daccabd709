"""Continuous time: the three equations, their dictionary, the reverse equation."""

from itertools import pairwise

import pytest
import torch

import medtut as mt
from medtut.samplers import sde as module
from medtut.samplers.adaptive import flow_slope
from medtut.samplers.sde import (
    VE,
    VP,
    SubVP,
    euler_maruyama,
    langevin_step,
    predictor_corrector,
    reverse_diffusion,
    reverse_sde,
)

DOUBLE = torch.float64
T = torch.linspace(0.02, 1, 40, dtype=DOUBLE)
EQUATIONS = (VP(), SubVP(), VE())
each = pytest.mark.parametrize("sde", EQUATIONS, ids=lambda e: type(e).__name__)
PLANE = mt.GaussianMixture(
    weights=torch.tensor([0.3, 0.7], dtype=DOUBLE),
    means=torch.tensor([[-1.0, 0.5], [1.0, 0.0]], dtype=DOUBLE),
    covs=torch.tensor([0.05, 0.1], dtype=DOUBLE)[:, None, None] * torch.eye(2, dtype=DOUBLE),
)
LEVELS = mt.schedules.karras(12, 0.02, 40.0)


def begin(n=6, seed=0, sigma=40.0):
    return sigma * mt.randn((n, 2), mt.generators(seed, n), like=PLANE.means)


def slope_of(function):
    t = T.clone().requires_grad_(True)
    return torch.autograd.grad(function(t).sum(), t)[0]


# --- the equations -----------------------------------------------------------------------------------------


@each
def test_scale_and_sigma_say_everything(sde):
    """f is the slope of log scale, g**2 is scale**2 times the slope of sigma**2, std is scale * sigma."""
    if sde.scale(T).max() != sde.scale(T).min():
        torch.testing.assert_close(slope_of(lambda t: sde.scale(t).log()), sde.drift(T), rtol=1e-12, atol=0)
    else:
        assert (sde.drift(T) == 0).all()
    growth = slope_of(lambda t: sde.sigma(t) ** 2)
    torch.testing.assert_close(sde.scale(T) ** 2 * growth, sde.diffusion(T) ** 2, rtol=1e-12, atol=0)
    torch.testing.assert_close(sde.scale(T) * sde.sigma(T), sde.std(T), rtol=1e-12, atol=0)


@each
def test_time_undoes_sigma(sde):
    tiny = torch.tensor([1e-9, 1e-5], dtype=DOUBLE) if sde.scale(T)[0] != 1 else T[:2]
    for t in (T, tiny):
        torch.testing.assert_close(sde.time(sde.sigma(t)), t, rtol=1e-12, atol=0)


def test_marginals_are_those_of_the_paper():
    """Mean factor and standard deviation as the authors' code writes them."""
    low, high = 0.1, 20.0
    log_mean = -0.25 * T**2 * (high - low) - 0.5 * T * low
    for sde, std in ((VP(), (1 - (2 * log_mean).exp()).sqrt()), (SubVP(), 1 - (2 * log_mean).exp())):
        torch.testing.assert_close(sde.scale(T), log_mean.exp(), rtol=1e-12, atol=0)
        torch.testing.assert_close(sde.std(T), std, rtol=1e-12, atol=0)
    discount = 1 - (-2 * low * T - (high - low) * T**2).exp()
    torch.testing.assert_close(SubVP().diffusion(T) ** 2, VP().beta(T) * discount, rtol=1e-12, atol=0)
    assert float(VE().sigma(torch.tensor(0.0).double())) == 0.01
    torch.testing.assert_close(VE().std(T), 0.01 * 5000**T, rtol=1e-12, atol=0)


def test_equal_sigma_is_equal_state():
    """VE at sigma is VP at abar = 1 / (1 + sigma**2), and sub-VP where (1 - abar) / sqrt(abar) = sigma."""
    sigma = torch.logspace(-1.9, 1.6, 30, dtype=DOUBLE)
    for sde in EQUATIONS:
        torch.testing.assert_close(sde.sigma(sde.time(sigma)), sigma, rtol=1e-12, atol=0)
    abar = VP().scale(VP().time(sigma)) ** 2
    torch.testing.assert_close(abar, mt.schedules.abar(sigma), rtol=1e-12, atol=0)
    abar = SubVP().scale(SubVP().time(sigma)) ** 2
    torch.testing.assert_close((1 - abar) / abar.sqrt(), sigma, rtol=1e-12, atol=0)


@each
def test_the_flow_is_one_equation(sde):
    """du/dt in the variables of each equation is dx/dsigma = (x - D) / sigma in ours."""
    x, sigma = begin(sigma=1.0), torch.logspace(-1.5, 1.5, 6, dtype=DOUBLE)
    t = sde.time(sigma).requires_grad_(True)
    scale, level = sde.scale(t), sde.sigma(t)
    zero = torch.zeros_like(t)
    d_scale = torch.autograd.grad(scale.sum(), t)[0] if scale.requires_grad else zero
    d_level = torch.autograd.grad(level.sum(), t)[0]
    scale, level = scale.detach()[:, None], level.detach()[:, None]
    flow = (x - PLANE.denoise(x, sigma)) / level
    expected = d_scale[:, None] * x + scale * d_level[:, None] * flow
    found = flow_slope(PLANE.denoise, sde, scale * x, t.detach())
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-12)


# --- the limit of small steps ------------------------------------------------------------------------------


def test_ddpm_chain_tends_to_vp():
    """abar of a chain with betas beta(t) / N misses the equation's by an error of first order in 1 / N."""
    def gap(n):
        t = torch.arange(1, n + 1, dtype=DOUBLE) / n
        return float((torch.cumprod(1 - VP().beta(t) / n, 0) - VP().log_abar(t).exp()).abs().max())

    assert 1.9 < gap(2000) / gap(4000) < 2.1


@pytest.mark.parametrize("rule", [euler_maruyama, reverse_diffusion])
def test_ancestral_step_tends_to_the_reverse_equation(rule):
    """Mean and variance of one DDPM step, in VP variables, differ from the equation's step by O(h**2)."""
    def gap(h):
        t = torch.tensor([0.5, 0.5 - h], dtype=DOUBLE)
        (s, s_next), (a, a_next) = VP().sigma(t).tolist(), VP().scale(t).tolist()
        x, x0hat = 0.7, 0.2
        mean = x0hat + (s_next / s) ** 2 * (x - x0hat)
        decay, variance = rule(VP(), *t)
        u = a * x - decay * a * x + variance * (x0hat - x) / (s**2 * a)
        ddpm_variance = a_next**2 * s_next**2 * (1 - (s_next / s) ** 2)
        return abs(a_next * mean - u), abs(ddpm_variance - variance)

    for coarse, fine in zip(gap(2e-3), gap(1e-3), strict=True):
        assert 3.8 < coarse / fine < 4.2


def test_reverse_diffusion_has_the_chains_numbers():
    t = torch.tensor([0.4, 0.3], dtype=DOUBLE)
    abar, abar_next = (VP().scale(t) ** 2).tolist()
    decay, variance = reverse_diffusion(VP(), *t)
    assert variance == pytest.approx(1 - abar / abar_next, rel=1e-12)
    assert decay == pytest.approx((1 - variance) ** 0.5 - 1, rel=1e-12)
    s, s_next = VE().sigma(t).tolist()
    assert reverse_diffusion(VE(), *t) == pytest.approx((0.0, s**2 - s_next**2))


def exact_variance(monkeypatch, sde, n, rule=euler_maruyama, c=0.6, ends=(10.0, 0.3)):
    """Variance of x at the last level for data N(0, c**2), over the right one, minus 1.

    Every step is linear, so the responses to one unit impulse for each noise give it without sampling.
    """
    denoise = mt.Gaussian(torch.zeros(1, dtype=DOUBLE), torch.full((1, 1), c**2, dtype=DOUBLE)).denoise
    times = torch.linspace(*sde.time(torch.tensor(ends, dtype=DOUBLE)).tolist(), n + 1, dtype=DOUBLE)
    sigmas = sde.sigma(times)
    rows = iter(torch.eye(n + 1, dtype=DOUBLE)[1:])
    monkeypatch.setattr(module, "randn_like", lambda x, g: next(rows)[:, None])
    x = torch.zeros(n + 1, 1, dtype=DOUBLE)
    x[0] = (c**2 + float(sigmas[0]) ** 2) ** 0.5
    found = float(mt.last(reverse_sde(denoise, sigmas, x, sde=sde, rule=rule)).square().sum())
    return found / (c**2 + float(sigmas[-1]) ** 2) - 1


@each
@pytest.mark.parametrize("rule", [euler_maruyama, reverse_diffusion])
def test_weak_order_one(monkeypatch, sde, rule):
    """The variance of a Gaussian is right in the limit, with an error that halves with the step."""
    coarse, fine, finer = (abs(exact_variance(monkeypatch, sde, n, rule)) for n in (200, 400, 800))
    assert finer < 0.02
    assert 1.85 < coarse / fine < 2.15 and 1.9 < fine / finer < 2.1


# --- the samplers, in the paper's own variables ------------------------------------------------------------


def score_of_u(u, scale, sigma):
    x = u / scale
    return (PLANE.denoise(x, sigma) - x) / sigma**2 / scale


@each
def test_euler_maruyama_in_the_equations_own_variables(sde):
    rng, times = mt.generators(3, 6), sde.time(LEVELS[:-1]).tolist()
    at = [torch.tensor(t, dtype=DOUBLE) for t in times]
    u = sde.scale(at[0]) * begin()
    for t, t_next in pairwise(at):
        score = score_of_u(u, sde.scale(t), sde.sigma(t))
        drift = sde.drift(t) * u - sde.diffusion(t) ** 2 * score
        z = mt.randn_like(u, rng)
        u = u - drift * (t - t_next) + sde.diffusion(t) * (t - t_next).sqrt() * z
    x = u / sde.scale(at[-1])
    states = list(reverse_sde(PLANE.denoise, LEVELS, begin(), sde=sde, generator=mt.generators(3, 6)))
    torch.testing.assert_close(states[-2].x, x, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(states[-1].x, PLANE.denoise(x, float(LEVELS[-2])), rtol=1e-10, atol=1e-10)
    assert [s.sigma for s in states] == LEVELS[1:].tolist()


@pytest.mark.parametrize("sde", [VP(), VE()], ids=["VP", "VE"])
def test_predictor_corrector_in_the_papers_variables(sde):
    """The paper's algorithms for VE and VP, with norms of single samples, on the same noise."""
    rng, vp = mt.generators(4, 6), isinstance(sde, VP)
    levels = LEVELS[:-1].tolist()
    u = begin() * ((1 + levels[0] ** 2) ** -0.5 if vp else 1.0)
    for s, s_next in pairwise(levels):
        scale, scale_next = ((1 + v**2) ** -0.5 if vp else 1.0 for v in (s, s_next))
        score = score_of_u(u, scale, s)
        if vp:
            beta = 1 - scale**2 / scale_next**2
            u = (2 - (1 - beta) ** 0.5) * u + beta * score
            u = u + beta**0.5 * mt.randn_like(u, rng)
        else:
            u = u + (s**2 - s_next**2) * score
            u = u + (s**2 - s_next**2) ** 0.5 * mt.randn_like(u, rng)
        for _ in range(2):
            score = score_of_u(u, scale_next, s_next)
            z = mt.randn_like(u, rng)
            step = 2 * (0.2 * z.norm(dim=1) / score.norm(dim=1)) ** 2
            u = u + step[:, None] * score + (2 * step).sqrt()[:, None] * z
    ours = list(predictor_corrector(PLANE.denoise, LEVELS, begin(), sde=sde, corrections=2, snr=0.2,
                                    generator=mt.generators(4, 6)))
    assert (ours[-2].x - u / scale_next).abs().max() < 1e-9


def test_calls_are_counted_as_said():
    seen = []

    def counting(x, s):
        seen.append(s)
        return PLANE.denoise(x, s)

    list(predictor_corrector(counting, LEVELS, begin(), corrections=2))
    assert len(seen) == 12 + 2 * 11
    seen.clear()
    list(reverse_sde(counting, LEVELS, begin()))
    assert len(seen) == 12


def test_corrections_lead_to_the_density():
    """From too wide a cloud to variance v (1 + snr**2), what the finite step leaves in many dimensions."""
    d, v = 500, 0.25 + 0.5**2
    images = mt.Gaussian(torch.zeros(d, dtype=DOUBLE), 0.25 * torch.eye(d, dtype=DOUBLE))
    rng = torch.Generator().manual_seed(5)
    x = mt.randn((100, d), rng, like=images.mean)
    for _ in range(60):
        x = langevin_step(images.denoise, x, 0.5, 0.3, rng)
    assert float(x.var()) == pytest.approx(v * (1 + 0.3**2), rel=0.03)


@each
def test_a_sample_does_not_know_its_neighbours(sde):
    def run(n):
        return mt.last(predictor_corrector(PLANE.denoise, LEVELS, begin(6)[:n], sde=sde,
                                           generator=mt.generators(6, 6)[:n]))

    torch.testing.assert_close(run(6)[:2], run(2), rtol=0, atol=1e-10)
