"""Samplers against closed form: order, variance, the paper's own lines, independence of the batch."""

from itertools import pairwise

import pytest
import torch
from sampler_worlds import PRIOR, SAMPLERS, TAU, WORLD, euler

import medtut as mt
from medtut import schedules as sc

TABLE = sc.vp_table()


def flow_error(sampler, n):
    """Relative error at the end of the exact flow of a Gaussian: x(0) = x(S) tau / sqrt(tau^2 + S^2)."""
    sigmas = sc.karras(n, sigma_max=20.0)
    x = torch.full((1, 1, 1, 1), 20.0).double()
    return abs(mt.last(sampler(PRIOR.denoise, sigmas, x)).item() / (20 * TAU / (TAU**2 + 400) ** 0.5) - 1)


@pytest.mark.parametrize(("sampler", "order"), [(mt.ddim, 1), (mt.heun, 2)])
def test_order_of_convergence(sampler, order):
    ratio = flow_error(sampler, 80) / flow_error(sampler, 160)
    assert 2 ** (order - 0.12) < ratio < 2 ** (order + 0.12)
    assert flow_error(sampler, 160) < 0.05


def paper_std(levels, abar_before=None):
    """Standard deviation at the end of DDPM's algorithm 2 on N(0, TAU^2), by recursion of the variance.

    In its variables: x_prev = (x - beta / sqrt(1 - abar) eps) / sqrt(alpha) + sqrt(beta_tilde) z, with
    the exact eps = sqrt(1 - abar) x / (abar TAU^2 + 1 - abar). `abar_before` gives abar of the step that is
    *taken* for the next one: by default that of the next level used.
    """
    abars = sc.abar(levels).tolist()
    variance = 1.0
    for i, (a, a_used) in enumerate(pairwise(abars)):
        a_next = a_used if abar_before is None else abar_before[i]
        alpha, beta = a / a_next, 1 - a / a_next
        factor = (1 - beta / (a * TAU**2 + 1 - a)) / alpha**0.5
        variance = factor**2 * variance + (1 - a_next) / (1 - a) * beta
    return variance**0.5


@pytest.mark.parametrize("n", [1000, 50, 10])
def test_ancestral_variance_is_the_paper_s(n):
    levels, b = sc.trailing(TABLE, n), 20_000
    x = mt.start(levels, (b, 1, 1, 1), torch.Generator().manual_seed(1), PRIOR.mean)
    x = x * (1 + levels[0] ** 2) ** 0.5 / levels[0]  # the paper starts from N(0, 1) in VP variables
    out = mt.last(mt.ddpm(PRIOR.denoise, levels, x, generator=torch.Generator().manual_seed(2)))
    assert out.std().item() == pytest.approx(paper_std(levels), rel=4 / (2 * b) ** 0.5)


def test_all_steps_give_the_prior_and_a_wrong_stride_does_not():
    full, fifty = sc.trailing(TABLE, 1000), sc.trailing(TABLE, 50)
    neighbours = sc.abar(torch.cat([TABLE.new_zeros(1), TABLE])[torch.arange(1000, 0, -20) - 1]).tolist()
    assert paper_std(full) == pytest.approx(TAU, rel=0.015)
    assert 0.85 * TAU < paper_std(fifty) < TAU
    assert paper_std(fifty, abar_before=neighbours) > 1.6 * TAU


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("n", [1000, 25])
def test_ddpm_equals_a_transcription_of_algorithm_2(n, large):
    levels, shape = sc.trailing(TABLE, n), (3, 1, 1, 2)
    start = mt.start(levels, shape, mt.generators(7, 3), WORLD.means)
    ours = mt.last(mt.ddpm(WORLD.denoise, levels, start, large=large, generator=mt.generators(8, 3)))
    x, noise = start / (1 + levels[0] ** 2) ** 0.5, mt.generators(8, 3)
    for s, s_next in pairwise(levels.tolist()):
        a, a_next = sc.abar(s), sc.abar(s_next)
        alpha, beta = a / a_next, 1 - a / a_next
        eps = (x - a**0.5 * WORLD.denoise(x / a**0.5, s)) / (1 - a) ** 0.5
        x = (x - beta / (1 - a) ** 0.5 * eps) / alpha**0.5
        if s_next > 0:
            variance = beta if large else (1 - a_next) / (1 - a) * beta
            x = x + variance**0.5 * mt.randn_like(x, noise)
    assert (ours - x).abs().max() < 1e-9


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
def test_ddim_equals_a_transcription_of_equation_12(eta):
    levels, shape = sc.trailing(TABLE, 20), (3, 1, 1, 2)
    start = mt.start(levels, shape, mt.generators(7, 3), WORLD.means)
    ours = mt.last(mt.ddim(WORLD.denoise, levels, start, eta=eta, generator=mt.generators(8, 3)))
    x, noise = start / (1 + levels[0] ** 2) ** 0.5, mt.generators(8, 3)
    for s, s_next in pairwise(levels.tolist()):
        a, a_next = sc.abar(s), sc.abar(s_next)
        eps = (x - a**0.5 * WORLD.denoise(x / a**0.5, s)) / (1 - a) ** 0.5
        sd = eta * ((1 - a_next) / (1 - a)) ** 0.5 * (1 - a / a_next) ** 0.5
        x0hat = (x - (1 - a) ** 0.5 * eps) / a**0.5
        x = a_next**0.5 * x0hat + max(1 - a_next - sd**2, 0) ** 0.5 * eps
        if sd > 0:
            x = x + sd * mt.randn_like(x, noise)
    assert (ours - x).abs().max() < 1e-9


def test_ddpm_is_ddim_with_eta_one():
    levels = sc.karras(30)
    x = mt.start(levels, (2, 1, 1, 2), mt.generators(0, 2), WORLD.means)
    one = mt.last(mt.ddpm(WORLD.denoise, levels, x, generator=mt.generators(1, 2)))
    two = mt.last(mt.ddim(WORLD.denoise, levels, x, eta=1.0, generator=mt.generators(1, 2)))
    assert (one - two).abs().max() < 1e-12


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_does_not_depend_on_its_batch(name):
    levels = sc.karras(20)

    def run(n):
        x = mt.start(levels, (n, 1, 1, 2), mt.generators(0, n), WORLD.means)
        return mt.last(SAMPLERS[name](WORLD.denoise, levels, x, generator=mt.generators(1, n)))

    assert (run(6)[:2] - run(2)).abs().max() < 1e-10


@pytest.mark.parametrize("name", SAMPLERS)
def test_same_seed_same_sample_other_seed_other_sample(name):
    levels = sc.karras(20)

    def run(seed):
        x = mt.start(levels, (4, 1, 1, 2), torch.Generator().manual_seed(seed), WORLD.means)
        return mt.last(
            SAMPLERS[name](WORLD.denoise, levels, x, generator=torch.Generator().manual_seed(seed))
        )

    assert torch.equal(run(3), run(3))
    assert not torch.equal(run(3), run(4))


@pytest.mark.parametrize("name", SAMPLERS)
def test_samples_have_the_world_s_mean_and_weights(name):
    levels, b = sc.karras(200, sigma_max=40.0), 4000
    x = mt.start(levels, (b, 1, 1, 2), torch.Generator().manual_seed(0), WORLD.means)
    out = mt.last(SAMPLERS[name](WORLD.denoise, levels, x, generator=torch.Generator().manual_seed(1)))
    right = (out[:, 0, 0, 0] > 0).double().mean().item()
    assert right == pytest.approx(0.6, abs=4 * (0.24 / b) ** 0.5 + 0.005)
    mean = (WORLD.weights[:, None] * WORLD.means.flatten(1)).sum(0)
    sd = out.flatten(1).std(0)
    assert ((out.flatten(1).mean(0) - mean).abs() < 4 * sd / b**0.5 + 0.01).all()


ONE_CALL, TWO_CALLS = (mt.ddim, mt.ddpm, euler, mt.dpmpp_2m, mt.unipc), (mt.heun, mt.churn, mt.dpmpp_2s)


@pytest.mark.parametrize(("sampler", "calls"), [(f, 12) for f in ONE_CALL] + [(f, 23) for f in TWO_CALLS])
def test_a_step_costs_its_calls_and_nothing_more(sampler, calls):
    seen = []

    def counted(x, sigma):
        seen.append(sigma)
        return WORLD.denoise(x, sigma)

    mt.last(sampler(counted, sc.karras(12), torch.zeros(1, 1, 1, 2).double()))
    assert len(seen) == calls


@pytest.mark.parametrize("name", SAMPLERS)
def test_what_is_yielded_stays_and_gradients_do_not_leak(name):
    levels = sc.karras(6)
    x = mt.start(levels, (2, 1, 1, 2), mt.generators(0, 2), WORLD.means.float())
    kept, copies = [], []
    for state in SAMPLERS[name](mt.Ranged(lambda x, s, label=None: x / (1 + s**2)), levels, x):
        assert torch.is_grad_enabled()
        assert state.x.dtype == torch.float32
        kept.append(state)
        copies.append((state.x.clone(), state.x0hat.clone()))
    assert [s.step for s in kept] == list(range(6))
    assert [s.sigma for s in kept] == levels[1:].tolist()
    assert all(
        torch.equal(s.x, a) and torch.equal(s.x0hat, b) for s, (a, b) in zip(kept, copies, strict=True)
    )


def test_inversion_returns_and_meets_the_exact_flow():
    x0 = WORLD.sample(4, mt.generators(2, 4))
    errors = []
    for n in (100, 200):
        sigmas = sc.karras(n, sigma_max=20.0)
        noisy = mt.last(mt.invert(WORLD.denoise, sigmas, x0))
        errors.append((mt.last(mt.ddim(WORLD.denoise, sigmas, noisy)) - x0).abs().max().item())
    assert errors[1] < 0.05
    assert 1.5 < errors[0] / errors[1] < 2.6
    x = torch.full((1, 1, 1, 1), 0.3).double()
    up = mt.last(mt.invert(PRIOR.denoise, sc.karras(400, sigma_max=20.0), x)).item()
    assert up == pytest.approx(0.3 * (TAU**2 + 400) ** 0.5 / TAU, rel=0.02)


def test_start_and_last():
    sigmas = sc.karras(5, sigma_max=30.0)
    x = mt.start(sigmas, (3, 1, 2, 2), mt.generators(0, 3))
    assert torch.equal(x, 30.0 * mt.randn((3, 1, 2, 2), mt.generators(0, 3)))
    with pytest.raises(ValueError, match="two levels"):
        mt.last(iter(()))
