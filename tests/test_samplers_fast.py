"""Fast solvers: order, the variance of the stochastic ones, independence of the batch."""

import math
from itertools import pairwise

import pytest
import torch
from sampler_worlds import FAST, PRIOR, TAU, WORLD, euler

import medtut as mt
from medtut import schedules as sc

LEVELS = sc.karras(20, 0.01, 40.0)


def begin():
    return mt.start(LEVELS, (3, 1, 1, 2), mt.generators(0, 3), WORLD.means)


STOCHASTIC = {"churn", "euler churn", "2m sde"}


def flow_error(sampler, sigmas):
    """Relative error at the last level of the exact flow of a Gaussian: x keeps its share of the std."""
    x = sigmas[:1].reshape(1, 1, 1, 1)
    std = (TAU**2 + sigmas**2).sqrt()
    return abs(mt.last(sampler(PRIOR.denoise, sigmas, x)) / x / (std[-1] / std[0]) - 1).item()


@pytest.mark.parametrize("levels", [sc.karras, sc.geometric, sc.cosine])
@pytest.mark.parametrize(
    ("sampler", "order"), [(euler, 1), (mt.churn, 2), (mt.dpmpp_2m, 2), (mt.dpmpp_2s, 2), (mt.unipc, 3)]
)
def test_order_of_convergence(sampler, order, levels):
    """Without the step to 0, whose length does not shrink with the number of steps."""
    coarse, fine = (flow_error(sampler, levels(n, 0.02, 20.0)[:-1]) for n in (320, 640))
    assert order - 0.1 < math.log2(coarse / fine) < order + 0.15
    assert fine < 0.01


@pytest.mark.parametrize("sampler", [mt.heun, mt.dpmpp_2m, mt.dpmpp_2s, mt.unipc])
@pytest.mark.parametrize("lowest", [0.02, 0.05])
def test_the_step_to_zero_leaves_an_error_of_its_own(sampler, lowest):
    """One Euler step from s to 0 multiplies by tau^2 / (tau^2 + s^2) instead of the root of it."""
    error = flow_error(sampler, sc.geometric(2000, lowest, 20.0))
    assert error == pytest.approx(1 - (1 + (lowest / TAU) ** 2) ** -0.5, rel=0.02)


def test_euler_is_ddim_and_churn_without_churn_is_heun():
    x = mt.start(LEVELS, (3, 1, 1, 2), mt.generators(0, 3), WORLD.means)
    pairs = [(euler, mt.ddim), (mt.churn, mt.heun)]
    for one, other in pairs:
        ends = [mt.last(f(WORLD.denoise, LEVELS, x)) for f in (one, other)]
        assert (ends[0] - ends[1]).abs().max() < 1e-12


def test_2m_and_unipc_need_the_history_and_start_and_end_as_ddim():
    x = mt.start(LEVELS, (3, 1, 1, 2), mt.generators(0, 3), WORLD.means)
    for sampler in (mt.dpmpp_2m, mt.unipc):
        states, ddim = list(sampler(WORLD.denoise, LEVELS, x)), list(mt.ddim(WORLD.denoise, LEVELS, x))
        assert torch.equal(states[0].x, ddim[0].x)
        assert (states[3].x - ddim[3].x).abs().max() > 1e-4
        assert torch.equal(states[-1].x, states[-1].x0hat)


# --- the stochastic ones on a Gaussian ---------------------------------------------------------------------


def gain(s):
    return TAU**2 / (TAU**2 + s**2)


def churned_std(sigmas, share, s_noise, second):
    """Standard deviation of algorithm 2 from its own lines: every step multiplies, after it has added."""
    variance = sigmas[0].item() ** 2
    for s, s_next in pairwise(sigmas.tolist()):
        hat = s * (1 + share)
        variance += (hat**2 - s**2) * s_noise**2
        d = (1 - gain(hat)) / hat
        factor = 1 + (s_next - hat) * d
        if second and s_next > 0:
            factor = 1 + (s_next - hat) * (d + factor * (1 - gain(s_next)) / s_next) / 2
        variance *= factor**2
    return variance**0.5


def sde_2m_std(sigmas):
    """Standard deviation of the SDE form of 2M, from the covariance of the state and of the last D."""
    cov, h_before = torch.diag(torch.tensor([sigmas[0].item() ** 2, 0.0]).double()), None
    for s, s_next in pairwise(sigmas.tolist()):
        h = math.log(s / s_next) if s_next > 0 else math.inf
        c = h / (2 * h_before) if h_before and s_next > 0 else 0.0
        forget = math.exp(-2 * h)
        row = [forget + (1 - forget) * (1 + c) * gain(s), -(1 - forget) * c]
        step = torch.tensor([row, [gain(s), 0.0]]).double()
        cov = step @ cov @ step.T
        cov[0, 0] += s_next**2 * (1 - forget)
        h_before = h
    return cov[0, 0].item() ** 0.5


@pytest.mark.parametrize("n", [6, 20])
@pytest.mark.parametrize("case", ["churn", "euler churn", "inflated", "capped", "2m sde"])
def test_variance_is_that_of_the_closed_form(case, n):
    sigmas, b = sc.karras(n, 0.02, 20.0), 40_000
    x = mt.start(sigmas, (b, 1, 1, 1), torch.Generator().manual_seed(1), PRIOR.mean)
    x = x * (20.0 / x.std())
    knobs = {"churn": (n / 5, 1.0, 2), "euler churn": (n / 5, 1.0, 1), "inflated": (n / 5, 1.2, 2),
             "capped": (9.0 * n, 1.0, 2)}  # fmt: skip
    if case == "2m sde":
        want, states = sde_2m_std(sigmas), mt.dpmpp_2m(PRIOR.denoise, sigmas, x, eta=1.0)
    else:
        s_churn, s_noise, order = knobs[case]
        want = churned_std(sigmas, min(s_churn / n, 2**0.5 - 1), s_noise, order == 2)
        states = mt.churn(PRIOR.denoise, sigmas, x, s_churn=s_churn, s_noise=s_noise, order=order)
    torch.manual_seed(3)
    assert mt.last(states).std().item() == pytest.approx(want, rel=4 / (2 * b) ** 0.5)


def test_all_stochastic_forms_tend_to_the_prior_and_false_noise_does_not():
    fine = sc.karras(800, 0.005, 20.0)
    assert churned_std(fine, 0.05, 1.0, True) == pytest.approx(TAU, rel=0.005)
    assert sde_2m_std(fine) == pytest.approx(TAU, rel=0.005)
    assert churned_std(fine, 0.05, 1.05, True) > 1.02 * TAU


def test_noise_is_added_only_between_the_two_levels():
    x = begin()
    inside = LEVELS[(LEVELS >= 0.1) & (LEVELS <= 5)]
    seen = []

    def watched(x, sigma):
        seen.append(sigma)
        return WORLD.denoise(x, sigma)

    mt.last(euler(watched, LEVELS, x, s_churn=4.0, s_min=inside[-1].item(), s_max=inside[0].item()))
    raised = torch.tensor([s not in LEVELS.tolist() for s in seen])
    assert torch.equal(raised, (LEVELS[:-1] >= 0.1) & (LEVELS[:-1] <= 5))
    assert max(b / a for a, b in zip(LEVELS.tolist(), seen, strict=False)) == pytest.approx(1.2)


# --- properties --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAST)
def test_fresh_noise_comes_from_the_generator_alone(name):
    def run(seed):
        return mt.last(FAST[name](WORLD.denoise, LEVELS, begin(), generator=mt.generators(seed, 3)))

    assert torch.equal(run(1), run(1))
    assert torch.equal(run(1), run(2)) == (name not in STOCHASTIC)
