"""Annealed Langevin dynamics: the paper's own lines, the stationary variance, its bias, the batch."""

import pytest
import torch

import medtut as mt
from medtut import schedules as sc

V = 0.49
PRIOR = mt.Gaussian(torch.full((1,), 0.3).double(), torch.full((1, 1), V).double())
WORLD = mt.GaussianMixture(
    torch.tensor([0.2, 0.8]).double(),
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.stack([0.04 * torch.eye(2), 0.09 * torch.eye(2)]).double(),
)
LEVELS = sc.geometric(4, 0.1, 2.0)


def run(prior, sigmas, n, seed=0, **options):
    """n chains from the standard start; all states."""
    shape = (n, *(prior.means[0] if prior is WORLD else prior.mean).shape)
    x = mt.start(sigmas, shape, mt.generators(seed, n), torch.zeros(1).double())
    noise = mt.generators(seed + 1, n)
    return list(mt.annealed_langevin(prior.denoise, sigmas, x, generator=noise, **options))


def paper(epsilon, T, n, seed=0, code=False):
    """Algorithm 1 in its own variables, with the score differentiated from the log density.

    `code` is the authors' sampler for images instead: alpha and sqrt(2 alpha).
    """
    levels = LEVELS[:-1].tolist()
    x = mt.start(LEVELS, (n, 2), mt.generators(seed, n), torch.zeros(1).double())
    noise = mt.generators(seed + 1, n)
    for sigma in levels:
        alpha = epsilon * sigma**2 / levels[-1] ** 2
        for _ in range(T):
            z = mt.randn_like(x, noise)
            y = x.clone().requires_grad_()
            (s,) = torch.autograd.grad(WORLD.log_prob(y, sigma).sum(), y)
            x = x + alpha * s + (2 * alpha) ** 0.5 * z if code else x + alpha / 2 * s + alpha**0.5 * z
    return x


def test_it_is_the_paper_s_algorithm():
    ours = run(WORLD, LEVELS, 3, steps=20, step_size=0.3)[-1].x
    assert (ours - paper(0.3 * 0.1**2, 20, 3)).abs().max() < 1e-9


def test_the_step_of_the_authors_code_is_worth_two():
    ours = run(WORLD, LEVELS, 3, steps=20, step_size=0.3)[-1].x
    assert (ours - paper(0.15 * 0.1**2, 20, 3, code=True)).abs().max() < 1e-9
    assert (ours - paper(0.3 * 0.1**2, 20, 3, code=True)).abs().max() > 1e-2


def test_defaults_are_the_paper_s():
    """epsilon = 2e-5 and T = 100 at a smallest level of 0.01."""
    levels = sc.geometric(2, 0.01, 0.02)
    prior = mt.Gaussian(torch.zeros(1).double(), torch.full((1, 1), 1e-4).double())
    states = run(prior, levels, 2)
    assert len(states) == 200
    by_hand = run(prior, levels, 2, steps=100, step_size=2e-5 / 0.01**2)
    assert (states[-1].x - by_hand[-1].x).abs().max() < 1e-12


def transient_variance(v, s, step_size, n):
    """Variance after n steps at one level from N(m, v + s^2), by recursion."""
    total = v + s**2
    variance = total
    for _ in range(n):
        variance = (1 - step_size * s**2 / (2 * total)) ** 2 * variance + step_size * s**2
    return variance


@pytest.mark.parametrize("step_size", [0.2, 1.0, 2.5])
def test_stationary_variance(step_size):
    """At one level the variance settles at t / (1 - alpha / (4 t)), t = v + s^2, which is too wide."""
    s, n = 0.8, 20_000
    t = V + s**2
    wide = t / (1 - step_size * s**2 / (4 * t))
    assert transient_variance(V, s, step_size, 400) == pytest.approx(wide, rel=1e-12)
    x = PRIOR.mean + t**0.5 * mt.randn((n, 1), torch.Generator().manual_seed(0), PRIOR.mean)
    one = torch.tensor([s, 0.0]).double()
    noise = torch.Generator().manual_seed(1)
    chain = mt.annealed_langevin(PRIOR.denoise, one, x, steps=60, step_size=step_size, generator=noise)
    x = mt.last(chain)
    se = wide * (2 / n) ** 0.5
    assert abs(x.var().item() - wide) < 4 * se
    assert abs(x.mean().item() - 0.3) < 4 * (wide / n) ** 0.5
    if step_size >= 1.0:
        assert wide - t > 8 * se  # the bias is seen, so both sides are pinned


def test_the_bias_is_of_first_order_in_the_step():
    s = 0.8
    t = V + s**2
    bias = [transient_variance(V, s, r, 4000) - t for r in (0.2, 0.1, 0.05)]
    assert 1.9 < bias[0] / bias[1] < 2.2
    assert 1.95 < bias[1] / bias[2] < 2.1
    assert bias[0] > 0


def test_it_diverges_beyond_the_stable_step():
    """A point mass has the narrowest noisy density, t = s^2: stable up to a step size of 4."""
    point = mt.FiniteDataset(torch.zeros(1, 1).double())
    one = torch.tensor([0.5, 0.0]).double()

    def size(step_size):
        x = torch.full((2000, 1), 0.5).double()
        noise = torch.Generator().manual_seed(1)
        options = {"steps": 300, "step_size": step_size, "generator": noise}
        return mt.last(mt.annealed_langevin(point.denoise, one, x, **options)).std()

    assert size(3.0) == pytest.approx(0.5 / (1 - 3 / 4) ** 0.5, rel=0.06)
    assert size(4.2) > 1e3


def test_states_and_the_last_step():
    states = run(WORLD, LEVELS, 2, steps=3)
    assert [s.step for s in states] == list(range(12))
    assert [s.sigma for s in states] == [s for s in LEVELS[:-1].tolist() for _ in range(3)]
    denoised = run(WORLD, LEVELS, 2, steps=3, final_denoise=True)
    assert len(denoised) == 13 and denoised[-1].sigma == 0 and denoised[-1].step == 12
    assert torch.equal(denoised[-2].x, states[-1].x)
    want = WORLD.denoise(states[-1].x, LEVELS[-2].item())
    assert (denoised[-1].x - want).abs().max() < 1e-12
    assert torch.equal(denoised[-1].x, denoised[-1].x0hat)


def test_calls():
    """One call a step, one more for the last estimate."""
    calls = []

    def counted(x, s):
        calls.append(s)
        return WORLD.denoise(x, s)

    x = torch.zeros(1, 2).double()
    mt.last(mt.annealed_langevin(counted, LEVELS, x, steps=5, final_denoise=True))
    assert len(calls) == 4 * 5 + 1


def test_a_sample_does_not_depend_on_its_batch():
    def end(rows):
        x = mt.start(LEVELS, (4, 2), mt.generators(0, 4), torch.zeros(1).double())[rows]
        noise = [mt.generators(1, 4)[i] for i in range(4)[rows]]
        return mt.last(mt.annealed_langevin(WORLD.denoise, LEVELS, x, steps=10, generator=noise))

    assert (end(slice(None))[2:3] - end(slice(2, 3))).abs().max() < 1e-10


def test_annealing_finds_the_weights_and_one_low_level_does_not():
    """Two modes 4 apart of width 0.2: from a start between them, plain Langevin leaves them half and half."""
    far = mt.GaussianMixture(torch.tensor([0.2, 0.8]).double(), torch.tensor([[-2.0], [2.0]]).double(),
                             torch.full((2, 1, 1), 0.04).double())
    n, x = 2000, 3 * mt.randn((2000, 1), torch.Generator().manual_seed(0), torch.zeros(1).double())

    def share(levels, steps):
        noise = torch.Generator().manual_seed(1)
        end = mt.last(mt.annealed_langevin(far.denoise, levels, x, steps=steps, generator=noise))
        return (end > 0).double().mean().item()

    se = (0.16 / n) ** 0.5
    assert abs(share(sc.geometric(20, 0.1, 5.0), 60) - 0.8) < 4 * se
    assert abs(share(torch.tensor([0.1, 0.0]).double(), 1200) - 0.5) < 4 * (0.25 / n) ** 0.5
