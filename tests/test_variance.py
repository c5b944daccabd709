"""Learnt variance: its ends, its optimum where that is known, and the libraries' own versions."""

from itertools import pairwise

import diffusers
import pytest
import torch
from monai.networks.schedulers import DDPMScheduler

import medtut as mt
from medtut import schedules as sc
from medtut.samplers import ancestral, bound_term, step_variance, variance_ends

TABLE = sc.vp_table()
STEPS = [
    (float(TABLE[t]), float(TABLE[u])) for t, u in ((999, 998), (999, 799), (500, 400), (120, 119), (40, 5))
]
each_step = pytest.mark.parametrize(("s", "s_next"), STEPS)


def gaussian(tau):
    return mt.Gaussian(torch.zeros(1, 1, 1).double(), torch.full((1, 1), tau**2).double())


def best(tau, s, s_next):
    """Variance of x_next given x in a Gaussian world: q's, and the doubt about the mean [bao2022analytic]."""
    given_x = tau**2 * s**2 / (tau**2 + s**2)
    return variance_ends(s, s_next)[0] + (1 - (s_next / s) ** 2) ** 2 * given_x


def share(tau, s, s_next):
    small, large = (torch.tensor(v).log() for v in variance_ends(s, s_next))
    return float((torch.tensor(best(tau, s, s_next)).log() - small) / (large - small))


@each_step
def test_the_ends_are_the_chain_s(s, s_next):
    """beta-tilde and beta of the step between two levels [ho2020ddpm, eq. 7], over abar of the next one."""
    a, a_next = sc.abar(s), sc.abar(s_next)
    beta = 1 - a / a_next
    small, large = variance_ends(s, s_next)
    assert small == pytest.approx((1 - a_next) / (1 - a) * beta / a_next, rel=1e-9)
    assert large == pytest.approx(beta / a_next, rel=1e-9)
    assert step_variance(0.0, s, s_next).item() == pytest.approx(small, rel=1e-6)
    assert step_variance(1.0, s, s_next).item() == pytest.approx(large, rel=1e-6)
    middle = step_variance(torch.tensor(0.5).double(), s, s_next).item()
    assert middle == pytest.approx((small * large) ** 0.5, rel=1e-9)  # the logarithms are blended


@each_step
def test_each_end_is_right_in_one_world(s, s_next):
    small, large = variance_ends(s, s_next)
    assert best(1.0, s, s_next) == pytest.approx(large, rel=1e-9)
    assert best(0.0, s, s_next) == pytest.approx(small, rel=1e-9)
    assert 0 < share(0.5, s, s_next) < 1


@each_step
def test_the_bound_teaches_the_right_variance(s, s_next):
    world, n = gaussian(0.5), 200_000
    x0 = world.sample(n, torch.Generator().manual_seed(0))
    x = x0 + s * mt.randn_like(x0, torch.Generator().manual_seed(1))
    x0hat = world.denoise(x, s)
    nu = torch.tensor(share(0.5, s, s_next)).double().requires_grad_()
    loss = bound_term(x0, x0hat, nu, s, s_next).mean()
    (slope,) = torch.autograd.grad(loss, nu)
    reach = torch.tensor(variance_ends(s, s_next)).log().diff().item()
    assert abs(slope.item()) < 4 * 0.5 * reach * (2 / n) ** 0.5  # four standard errors of half a chi-square
    for wrong in (0.0, 1.0):
        assert bound_term(x0, x0hat, wrong, s, s_next).mean() > loss
    exact = 0.5 * torch.tensor(best(0.5, s, s_next) / variance_ends(s, s_next)[0]).log()
    assert loss.item() == pytest.approx(exact.item(), abs=4 * (1 / n) ** 0.5)


def test_the_bound_is_zero_if_nothing_is_unknown():
    x0 = torch.randn(3, 1, 2, 2, generator=torch.Generator().manual_seed(0)).double()
    assert bound_term(x0, x0, 0.0, 2.0, 1.0).abs().max() < 1e-12
    by_hand = torch.distributions.kl_divergence(
        torch.distributions.Normal(0.0, 0.75**0.5),  # mean x0 + r (x - x0), r = 1/4; x0hat is off by 0.4
        torch.distributions.Normal(0.3, (step_variance(0.3, 2.0, 1.0).item()) ** 0.5),
    )
    assert bound_term(x0, x0 + 0.4, 0.3, 2.0, 1.0).mean().item() == pytest.approx(by_hand.item(), rel=1e-6)


def test_without_a_variance_it_is_ddpm():
    levels = sc.trailing(TABLE, 9)
    x = mt.start(levels, (3, 1, 1, 1), mt.generators(0, 3), gaussian(0.5).mean)
    for variance, large in ((None, False), (lambda *_: 1.0, True)):
        ours = ancestral(gaussian(0.5).denoise, levels, x, variance=variance, generator=mt.generators(1, 3))
        theirs = mt.ddpm(gaussian(0.5).denoise, levels, x, large=large, generator=mt.generators(1, 3))
        for a, b in zip(ours, theirs, strict=True):
            assert torch.allclose(a.x, b.x, rtol=1e-6, atol=1e-6)
            assert (a.step, a.sigma) == (b.step, b.sigma)


@pytest.mark.parametrize("tau", [0.3, 0.7])
def test_the_right_variance_needs_few_steps(tau):
    levels, n = sc.geometric(6, 0.02, 60.0), 40_000
    x = mt.start(levels, (n, 1, 1, 1), torch.Generator().manual_seed(1), gaussian(tau).mean)
    x = x * (1 + (tau / 60) ** 2) ** 0.5
    noise = lambda: torch.Generator().manual_seed(2)  # noqa: E731
    right = lambda x, s, s_next: share(tau, s, s_next)  # noqa: E731
    ours = (
        mt.last(ancestral(gaussian(tau).denoise, levels, x, variance=right, generator=noise())).std().item()
    )
    last = tau / (tau**2 + 0.02**2) ** 0.5  # the last step adds no noise
    assert ours == pytest.approx(tau * last, rel=4 / (2 * n) ** 0.5)
    assert mt.last(mt.ddpm(gaussian(tau).denoise, levels, x, generator=noise())).std() < 0.97 * ours


def test_samples_do_not_depend_on_their_batch():
    levels, world = sc.trailing(TABLE, 7), gaussian(0.5)
    whole = mt.start(levels, (4, 1, 1, 1), mt.generators(0, 4), world.mean)
    nu = lambda x, s, s_next: (x / (1 + s**2) ** 0.5).sigmoid()  # noqa: E731
    together = mt.last(ancestral(world.denoise, levels, whole, variance=nu, generator=mt.generators(1, 4)))
    alone = ancestral(world.denoise, levels, whole[2:3], variance=nu, generator=mt.generators(1, 4)[2:3])
    assert (together[2:3] - mt.last(alone)).abs().max() < 1e-10


@each_step
def test_the_last_step_has_no_variance(s, s_next):
    with pytest.raises(ValueError, match="adds no noise"):
        variance_ends(s, 0.0)


@pytest.mark.parametrize("t", [2, 100, 500, 999])
def test_monai_blends_variances_and_diffusers_their_logarithms(t):
    """MONAI's `learned_range` is not the paper's: write the step yourself, or use diffusers'."""
    out, nu = torch.tensor(-0.2), 0.4  # the network's output in [-1, 1], and what share it means
    monai = DDPMScheduler(1000, variance_type="learned_range")._get_variance(t, out)
    theirs = diffusers.DDPMScheduler(variance_type="learned_range")._get_variance(t, out).exp()
    s, s_next = float(TABLE[t]), float(TABLE[t - 1])
    small, large = variance_ends(s, s_next)
    in_vp = sc.abar(s_next)
    assert theirs.item() == pytest.approx(step_variance(nu, s, s_next).item() * in_vp, rel=1e-4)
    assert monai.item() == pytest.approx(((1 - nu) * small + nu * large) * in_vp, rel=1e-4)
    if t == 2:  # where the two ends are far apart
        assert monai / theirs > 1.01


def test_trajectory_equals_diffusers():
    """One network with two outputs, all levels of a table of 40 steps, the same noise."""
    theirs = diffusers.DDPMScheduler(40, variance_type="learned_range", clip_sample=False)
    betas = theirs.betas.double()
    theirs.alphas_cumprod = (1 - betas).cumprod(0)
    theirs.betas, theirs.alphas = betas, 1 - betas
    table = sc.sigma_of(theirs.alphas_cumprod)
    levels = sc.trailing(table, 40)
    x = mt.randn((2, 1, 4, 4), torch.Generator().manual_seed(1), table)
    start = x * (1 + levels[0] ** 2) ** 0.5
    nu_of = lambda x_vp: (3 * x_vp).tanh()  # noqa: E731 - in [-1, 1]
    eps_of = lambda x_vp: (2 * x_vp).sin()  # noqa: E731
    vp = lambda x, s: x / (1 + s**2) ** 0.5  # noqa: E731
    denoise = lambda x, s: x - s * eps_of(vp(x, s))  # noqa: E731
    ours = mt.last(
        ancestral(
            denoise,
            levels,
            start,
            variance=lambda x, s, s_next: (nu_of(vp(x, s)) + 1) / 2,
            generator=torch.Generator().manual_seed(2),
        )
    )
    noise = torch.Generator().manual_seed(2)
    theirs.set_timesteps(40)
    for t in theirs.timesteps:
        out = torch.cat([eps_of(x), nu_of(x)], 1)
        x = theirs.step(out, int(t), x, generator=noise).prev_sample
    assert (ours - x).abs().max() < 1e-5 * x.abs().max()
    assert len(list(pairwise(levels))) == 40
