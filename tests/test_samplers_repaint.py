"""RePaint: the paper's lines, the authors' path, diffusers' scheduler, and its bias in an exact world."""

from itertools import pairwise

import pytest
import torch
from diffusers import RePaintScheduler

import medtut as mt
from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.samplers import repaint, there_and_back

RHO = 0.8
WORLD = mt.Gaussian(torch.zeros(1, 1, 2).double(), torch.tensor([[1, RHO], [RHO, 1]]).double())
MASK = torch.tensor([[[1.0, 0.0]]]).double()
KNOWN = torch.tensor([[[1.5, 7.0]]]).double()  # the 7 is hidden and must never be read
LEVELS = sc.trailing(sc.vp_table(), 20)


def run(levels, n=3, denoise=WORLD.denoise, **knobs):
    x = mt.start(levels, (n, 1, 1, 2), mt.generators(0, n), WORLD.mean)
    noise = mt.generators(1, n)
    return mt.last(repaint(denoise, levels, x, known=KNOWN, mask=MASK, generator=noise, **knobs))


def authors_path(T, jump_length, jump_n_sample):
    """Times of the authors' configuration, T - 1 noisiest and -1 clean [lugmayr2022repaint]."""
    jumps = dict.fromkeys(range(0, T - jump_length, jump_length), jump_n_sample - 1)
    t, times = T, []
    while t >= 1:
        t -= 1
        times.append(t)
        if jumps.get(t, 0) > 0:
            jumps[t] -= 1
            for _ in range(jump_length):
                t += 1
                times.append(t)
    return [*times, -1]


@pytest.mark.parametrize(("n", "jump", "r"), [(250, 10, 10), (20, 1, 4), (12, 5, 3), (6, 5, 2), (5, 9, 3)])
def test_the_path_is_the_authors_path(n, jump, r):
    path = there_and_back(n, jump, r)
    assert path == [n - 1 - t for t in authors_path(n, jump, r)]
    down = sum(b > a for a, b in pairwise(path))
    assert down == n + (r - 1) * jump * ((n - 1) // jump)
    assert there_and_back(n, jump, 1) == list(range(n + 1))


@pytest.mark.parametrize("r", [1, 3])
def test_repaint_equals_a_transcription_of_algorithm_1(r):
    """In the paper's variables, for jumps of one step; line 5 with the level and the root that it needs."""
    shape, n = (3, 1, 1, 2), len(LEVELS) - 1
    start = mt.start(LEVELS, shape, mt.generators(0, 3), WORLD.mean)
    x, noise = start / (1 + LEVELS[0] ** 2) ** 0.5, mt.generators(1, 3)
    abars = sc.abar(LEVELS).tolist()
    for t in range(n):
        a, a_prev = abars[t], abars[t + 1]
        alpha, beta = a / a_prev, 1 - a / a_prev
        last = t == n - 1
        for u in range(1, r + 1):
            z = 0 if last else mt.randn_like(x, noise)
            known = a_prev**0.5 * KNOWN + (1 - a_prev) ** 0.5 * z
            eps = (x - a**0.5 * WORLD.denoise(x / a**0.5, float(LEVELS[t]))) / (1 - a) ** 0.5
            sd = ((1 - a_prev) / (1 - a) * beta) ** 0.5
            unknown = (x - beta / (1 - a) ** 0.5 * eps) / alpha**0.5 + sd * z
            x_prev = MASK * known + (1 - MASK) * unknown
            if u < r and not last:
                x = alpha**0.5 * x_prev + beta**0.5 * mt.randn_like(x, noise)
            else:
                x = x_prev
                break
        if last:
            break
    assert (run(LEVELS, jump=1, resamplings=r) - x).abs().max() < 1e-9


def test_repaint_equals_diffusers_on_the_same_noise():
    scheduler = RePaintScheduler(12, beta_start=0.01, beta_end=0.4, eta=1.0, clip_sample=False)
    scheduler.betas = scheduler.betas.double()
    scheduler.alphas_cumprod = (1 - scheduler.betas).cumprod(0)
    scheduler.final_alpha_cumprod = torch.tensor(1.0).double()
    scheduler.set_timesteps(12, jump_length=3, jump_n_sample=2)
    levels = sc.trailing(sc.sigma_of(scheduler.alphas_cumprod), 12)
    start = mt.start(levels, (2, 1, 1, 2), torch.Generator().manual_seed(0), WORLD.mean)
    knobs = {"known": KNOWN, "mask": MASK, "jump": 3, "resamplings": 2}
    ours = mt.last(repaint(WORLD.denoise, levels, start, generator=torch.Generator().manual_seed(1), **knobs))
    x, noise = start / (1 + levels[0] ** 2) ** 0.5, torch.Generator().manual_seed(1)
    for i, j in pairwise(there_and_back(12, 3, 2)):
        t = 11 - i
        if j < i:
            x = scheduler.undo_step(x, t + 1, noise)
            continue
        a = scheduler.alphas_cumprod[t]
        eps = (x - a**0.5 * WORLD.denoise(x / a**0.5, levels[i])) / (1 - a) ** 0.5
        x = scheduler.step(eps, t, x, KNOWN, MASK, noise).prev_sample
    assert (ours - x).abs().max() < 1e-9


def test_the_known_pixels_come_back_and_the_hidden_ones_are_not_read():
    out = run(LEVELS, jump=5, resamplings=2)
    assert torch.equal(out[..., 0], torch.full((3, 1, 1), 1.5).double())
    assert out[..., 1].abs().max() < 5


def test_pasted_pixels_have_the_noise_of_their_level():
    levels, n = sc.karras(6, 0.1, 10.0), 20_000
    x = mt.start(levels, (n, 1, 1, 2), torch.Generator().manual_seed(0), WORLD.mean)
    states = repaint(WORLD.denoise, levels, x, known=KNOWN, mask=MASK, jump=2, resamplings=2,
                     generator=torch.Generator().manual_seed(1))
    for state in states:
        pasted = state.x[:, 0, 0, 0]
        assert pasted.mean().item() == pytest.approx(1.5, abs=4 * state.sigma / n**0.5 + 1e-12)
        assert pasted.std().item() == pytest.approx(state.sigma, rel=4 / (2 * n) ** 0.5)


def test_a_jump_adds_the_noise_that_leads_to_its_level():
    levels, n, seen = torch.tensor([4.0, 2.0, 1.0, 0.0]).double(), 20_000, []

    def flat(x, sigma):
        """A world of zeros only: what is not noise vanishes, so x is nothing but the noise of its level."""
        seen.append((sigma, x[:, 0, 0, 1].std().item()))
        return torch.zeros_like(x)

    x = mt.start(levels, (n, 1, 1, 2), torch.Generator().manual_seed(0), WORLD.mean)
    mt.last(repaint(flat, levels, x, known=KNOWN, mask=MASK, jump=2, resamplings=3,
                    generator=torch.Generator().manual_seed(1)))
    assert [s for s, _ in seen] == [4.0, 2.0, 4.0, 2.0, 4.0, 2.0, 1.0]
    for sigma, found in seen:
        assert found == pytest.approx(sigma, rel=4 / (2 * n) ** 0.5)


def moments(levels, jump, r, n=20_000):
    x = mt.start(levels, (n, 1, 1, 2), torch.Generator().manual_seed(0), WORLD.mean)
    out = mt.last(repaint(WORLD.denoise, levels, x, known=KNOWN, mask=MASK, jump=jump, resamplings=r,
                          generator=torch.Generator().manual_seed(1)))[:, 0, 0, 1]
    return out.mean().item(), out.var().item()


def test_the_bias_of_one_pass_and_what_resampling_does_to_it():
    """The posterior is N(0.8 * 1.5, 1 - 0.8^2) = N(1.2, 0.36); the standard errors are below 0.005."""
    levels = sc.karras(20, 0.01, 20.0)
    (m1, v1), (m2, v2), (m5, v5) = (moments(levels, 1, r) for r in (1, 2, 5))
    exact = WORLD.posterior(MASK[0] * torch.eye(2).double()[:1], KNOWN[0, :, :1], 1e-4)
    assert exact.mean.flatten()[1].item() == pytest.approx(1.2, abs=1e-6)
    assert exact.cov[1, 1].item() == pytest.approx(0.36, abs=1e-6)
    assert 0.64 < m1 < 0.69  # far from the data: half of the way from 0 to 1.2
    assert 0.84 < m2 < 0.90
    assert 1.03 < m5 < 1.09  # resampling moves the mean towards 1.2 and does not pass it
    assert 0.36 < v1 < 0.40
    assert 0.25 < v5 < 0.29 < v2 < 0.34  # and it makes the draws too narrow


def test_a_sample_does_not_depend_on_its_batch():
    many, few = (run(LEVELS, n, jump=3, resamplings=2) for n in (6, 2))
    assert (many[:2] - few).abs().max() < 1e-10


def test_states_count_downward_steps_and_hold_still():
    x = mt.start(LEVELS, (2, 1, 1, 2), mt.generators(0, 2), WORLD.mean)
    kept, copies = [], []
    for state in repaint(WORLD.denoise, LEVELS, x, known=KNOWN, mask=MASK == 1, jump=5, resamplings=2):
        assert torch.is_grad_enabled()
        kept.append(state)
        copies.append(state.x.clone())
    assert [s.step for s in kept] == list(range(20 + 15))
    assert all(torch.equal(s.x, c) for s, c in zip(kept, copies, strict=True))


def test_refusals():
    x = torch.zeros(1, 1, 1, 2).double()
    with pytest.raises(BadInput, match="need a binary mask"):
        mt.last(repaint(WORLD.denoise, LEVELS, x, known=KNOWN, mask=0.5 * MASK))
    with pytest.raises(BadInput, match="need 1 or more of each"):
        there_and_back(10, 0, 3)
