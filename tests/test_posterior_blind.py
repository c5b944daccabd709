"""Blind-DPS and BIRD: their papers' lines, worlds whose blind posterior is known, gradients, batches."""

from itertools import pairwise

import pytest
import torch
from posterior_worlds import ABARS, LEVELS, vp_noise
from refusals import refused_in_one_sentence

import medtut as mt
from medtut import schedules as sc
from medtut.operators import InverseProblem, dot
from medtut.physics.blur import Blur, gaussian_kernel
from medtut.physics.phase import PhaseRetrieval
from medtut.physics.pixels import Inpainting
from medtut.posterior import bird, blind_dps, dps
from medtut.posterior.blind import unrolled


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def rand(*shape, seed=0):
    return torch.randn(*shape, generator=g(seed), dtype=torch.float64)


def mixture(shape, seed, level):
    """Two Gaussians of images of `shape`, with means about `level`."""
    d = shape[0] * shape[1]
    means = level + 0.3 * rand(2, 1, *shape, seed=seed)
    covs = torch.stack([0.1 * torch.eye(d), torch.diag(torch.linspace(0.01, 0.3, d))]).double()
    return mt.GaussianMixture(torch.tensor([0.4, 0.6]).double(), means, covs)


IMAGES, KERNELS = mixture((4, 5), 0, 0.0), mixture((3, 3), 1, 1.0)
Y = rand(3, 1, 4, 5, seed=2) * torch.tensor([0.5, 1, 3]).double()[:, None, None, None]
GUESS = gaussian_kernel(3, 0.8).double()
PROBLEM = InverseProblem(Blur(GUESS), Y, 0.1)


def circular(k, x):
    """k * x by the definition: tap (1 + i, 1 + j) of the kernel moves the image by (i, j)."""
    taps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return sum(k[..., 1 + i, 1 + j, None, None] * x.roll((i, j), (-2, -1)) for i, j in taps)


def vp_tweedie(world, x, abar):
    """x0hat and the score of a VP state."""
    x0 = world.denoise(x / abar**0.5, ((1 - abar) / abar) ** 0.5)
    return x0, (abar**0.5 * x0 - x) / (1 - abar)


def vp_ancestral(x, s, i, noise):
    abar, before = ABARS[i], ABARS[i - 1]
    alpha, beta = abar / before, 1 - abar / before
    x0 = (x + (1 - abar) * s) / abar**0.5
    mean = alpha**0.5 * (1 - before) / (1 - abar) * x + before**0.5 * beta / (1 - abar) * x0
    return mean + (beta * (1 - before) / (1 - abar)) ** 0.5 * noise


def paper_blind_dps(x, y, generator, zeta, lam, growing, uniform):
    """The authors' loop in VP variables, one sample, with their constant step or their code's growing one."""
    k = GUESS[None, None] / GUESS.max()
    if not uniform:
        k = ABARS[-1] ** 0.5 * float(LEVELS[0]) * vp_noise(k, generator)
    for i in range(len(ABARS) - 1, 0, -1):
        x, k = x.detach().requires_grad_(), k.detach().requires_grad_()
        abar = ABARS[i]
        x0, score_x = vp_tweedie(IMAGES, x, abar)
        k0, score_k = (k, None) if uniform else vp_tweedie(KERNELS, k, abar)
        kernel = k0 / k0.sum()
        norm = (y - circular(kernel, x0)).norm() + lam * kernel.abs().sum()
        g_x, g_k = torch.autograd.grad(norm, (x, k))
        scale = zeta * (abar**0.5 if growing else 1)
        x = vp_ancestral(x, score_x, i, vp_noise(x, generator) if i > 1 else 0) - scale * g_x
        if uniform:
            k = k - zeta * g_k
        else:
            k = vp_ancestral(k, score_k, i, vp_noise(k, generator) if i > 1 else 0) - scale * g_k
    return x.detach(), kernel.detach()


@pytest.mark.parametrize(
    ("zeta", "lam", "growing", "uniform"),
    [(0.1, 1.0, False, False), (0.3, 0.0, True, False), (0.02, 0.5, False, True)],
)
def test_blind_dps_is_the_papers_loop(zeta, lam, growing, uniform):
    x = mt.start(LEVELS, Y.shape, mt.generators(0, 3), Y)
    knobs = {"zeta": zeta, "lam": lam, "growing": growing}
    prior = None if uniform else KERNELS.denoise
    *_, ours = blind_dps(
        IMAGES.denoise, PROBLEM, LEVELS, x, denoise_kernel=prior, **knobs, generator=mt.generators(1, 3)
    )
    for i in range(3):
        start, y = x[i : i + 1] * ABARS[-1] ** 0.5, Y[i : i + 1]
        theirs, kernel = paper_blind_dps(start, y, mt.generators(1, 3)[i], zeta, lam, growing, uniform)
        torch.testing.assert_close(ours.x[i : i + 1], theirs, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ours.kernel[i : i + 1], kernel, rtol=1e-5, atol=1e-5)


def test_with_one_kernel_in_its_prior_blind_dps_is_dps():
    one = mt.FiniteDataset((3 * GUESS)[None, None])  # any scale: the sum is divided out
    x = mt.start(LEVELS, Y.shape, g(), Y)
    blind = blind_dps(IMAGES.denoise, PROBLEM, LEVELS, x, denoise_kernel=one.denoise, eta=0.0)
    known = dps(IMAGES.denoise, PROBLEM, LEVELS, x, zeta=0.3, eta=0.0)
    torch.testing.assert_close(mt.last(blind), mt.last(known))


@pytest.mark.parametrize("lobe", [0.1, -0.1])
def test_the_penalty_acts_on_negative_lobes_only(lobe):
    """After one step of the uniform prior, the kernels of lam = 0 and lam = 1."""
    guess = torch.tensor([[0.2, 0.3, 0.2], [0.2, 1.0, 0.3], [0.2, 0.3, lobe]]).double()
    problem, found = InverseProblem(Blur(guess), Y, 0.1), []
    x = mt.start(LEVELS, Y.shape, g(), Y)
    for lam in (0.0, 1.0):
        states = blind_dps(IMAGES.denoise, problem, LEVELS[:3], x, lam=lam, zeta=0.01, generator=g(1))
        found.append(list(states)[-1].kernel)
    lower = found[0].abs().sum((1, 2, 3)) - found[1].abs().sum((1, 2, 3))
    assert (lower > 1e-4).all() if lobe < 0 else torch.allclose(*found, atol=1e-12, rtol=0)


# --- a world whose blind posterior is known: two kernels, a Gaussian image ----------------------------------

N, NOISE = 200, 0.2
STATIONARY = mt.StationaryGaussian(
    torch.zeros(1, 6, 6).double(), torch.full((1, 6, 6), 1.0).double().index_fill(1, torch.tensor([3]), 4.0)
)
TWO = torch.zeros(2, 1, 3, 3).double()
TWO[0, 0, 1] = 1.0  # a line along the row
TWO[1, 0, :, 1] = 1.0  # a line along the column


def exact_share(y):
    """p(kernel 0 | y), the exact evidence of each kernel."""
    logs = []
    for k in TWO / 3:
        M = mt.exact.matrix_of(Blur(k[0]), STATIONARY.mean)
        cov = M @ STATIONARY.dense().cov @ M.T + NOISE**2 * torch.eye(36).double()
        logs.append(mt.Gaussian(torch.zeros(36).double(), cov).log_prob(y.flatten(1)))
    return torch.stack(logs, 1).softmax(1)[:, 0]


@pytest.mark.parametrize(("zeta", "low", "high"), [(0.3, 0.55, 0.75), (3.0, 0.82, 0.95)])
def test_blind_dps_finds_the_kernel_less_often_than_bayes(zeta, low, high):
    true = torch.arange(N) % 2
    x0 = STATIONARY.sample(N, g())
    y = Blur(TWO[true] / 3)(x0) + NOISE * rand(*x0.shape, seed=1)
    best = float(((exact_share(y) < 0.5).long() == true).double().mean())
    problem, sigmas = InverseProblem(Blur(TWO[0, 0]), y, NOISE), sc.geometric(60, 0.02, 20.0)
    x = mt.start(sigmas, x0.shape, g(2), x0)
    prior = mt.FiniteDataset(TWO).denoise
    *_, s = blind_dps(STATIONARY.denoise, problem, sigmas, x, denoise_kernel=prior, zeta=zeta, generator=g(3))
    chosen = (s.kernel[:, 0, 0, 1] > s.kernel[:, 0, 1, 0]).long()
    right = float((chosen == true).double().mean())
    assert best > 0.98
    assert low < right < high


# --- BIRD --------------------------------------------------------------------------------------------------

TEN = sc.leading(sc.vp_table(), 10)  # a step in a hundred, as in the paper
SCALE = (1 + float(TEN[0]) ** 2) ** 0.5


def loss(z, gradient="true"):
    r = PROBLEM.A(unrolled(IMAGES.denoise, TEN, SCALE * z, gradient)) - Y
    return dot(r, r) / 20


def test_the_true_gradient_is_that_of_finite_differences():
    z, d, h = rand(3, 1, 4, 5, seed=4), rand(3, 1, 4, 5, seed=5), 1e-5
    z.requires_grad_()
    slope = dot(torch.autograd.grad(loss(z).sum(), z)[0], d)
    with torch.no_grad():
        difference = (loss(z + h * d) - loss(z - h * d)) / (2 * h)
    torch.testing.assert_close(slope, difference, rtol=1e-6, atol=1e-8)
    other = dot(torch.autograd.grad(loss(z, "straight-through").sum(), z)[0], d)
    assert ((other - slope).abs() > 0.1 * slope.abs()).all()


def test_the_straight_through_gradient_is_a_scaled_residual():
    """Its steps telescope: d f / d z is sqrt(1 + sigma_max^2) = abar_T^-1/2 times the identity."""
    z = rand(3, 1, 4, 5, seed=4).requires_grad_()
    found = torch.autograd.grad(loss(z, "straight-through").sum(), z)[0]
    residual = PROBLEM.A(unrolled(IMAGES.denoise, TEN, SCALE * z.detach())) - Y
    torch.testing.assert_close(found, 2 / 20 * SCALE * PROBLEM.A.adjoint(residual))
    assert sc.abar(float(TEN[0])) ** -0.5 == pytest.approx(SCALE)


def paper_bird(z, y, gradient, iterations, lr, lr_kernel):
    """The authors' loop, one sample, in VP variables; `gradient` says whether the noise estimate is fixed."""
    abars = sc.abar(TEN).tolist()
    z = z.clone().requires_grad_()
    theta = (GUESS / GUESS.max()).clamp(min=1e-4).log().flatten().clone().requires_grad_()
    optimiser = torch.optim.Adam([{"params": [z], "lr": lr}, {"params": [theta], "lr": lr_kernel}])
    for _ in range(iterations):
        optimiser.zero_grad()
        x = z
        for abar, after in pairwise(abars):
            x0, score = vp_tweedie(IMAGES, x, abar)
            eps = -((1 - abar) ** 0.5) * score
            eps = eps.detach() if gradient == "straight-through" else eps
            x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
            eps = (x - abar**0.5 * x0) / (1 - abar) ** 0.5
            x = after**0.5 * x0 + (1 - after) ** 0.5 * eps
        kernel = theta.softmax(0).reshape(1, 1, 3, 3)
        torch.nn.functional.mse_loss(circular(kernel, x), y).backward()
        optimiser.step()
        z.data = z.data / z.data.norm() * z.numel() ** 0.5
    return x.detach(), kernel.detach()


@pytest.mark.parametrize("gradient", ["true", "straight-through"])
def test_bird_is_the_papers_loop(gradient):
    z = rand(3, 1, 4, 5, seed=4)
    knobs = {"gradient": gradient, "iterations": 8, "lr": 0.03, "lr_kernel": 0.05}
    *_, ours = bird(IMAGES.denoise, PROBLEM, TEN, SCALE * z, **knobs)
    for i in range(3):
        theirs, kernel = paper_bird(z[i : i + 1], Y[i : i + 1], **knobs)
        torch.testing.assert_close(ours.x[i : i + 1], theirs, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ours.kernel[i : i + 1], kernel, rtol=1e-5, atol=1e-5)


def test_each_sample_has_its_own_sphere():
    """With a white prior f(z) is a multiple of z, so its norm tells that of z."""
    white = mt.Gaussian(torch.zeros(1, 4, 5).double(), torch.eye(20).double())
    z = rand(3, 1, 4, 5, seed=4)
    unit = unrolled(white.denoise, TEN, SCALE * z).flatten(1).norm(dim=1) / z.flatten(1).norm(dim=1)
    knobs = {"iterations": 6, "lr": 0.1}
    norms = {}
    for sphere in (True, False):
        *_, s = bird(white.denoise, PROBLEM, TEN, SCALE * z, sphere=sphere, **knobs)
        norms[sphere] = s.x.flatten(1).norm(dim=1) / unit
    torch.testing.assert_close(norms[True], torch.full((3,), 20**0.5).double())
    assert ((norms[False] - 20**0.5).abs() > 0.1).any()


def test_a_known_operator_is_inverted_too():
    A = Inpainting((torch.rand(4, 5, generator=g()) > 0.4).double())
    problem = InverseProblem(A, A(IMAGES.sample(3, g(6))), 0.1)
    knobs = {"lr_kernel": 0, "iterations": 40, "lr": 0.1}
    losses = [
        problem.loss(s.x) for s in bird(IMAGES.denoise, problem, TEN, SCALE * rand(3, 1, 4, 5), **knobs)
    ]
    assert (losses[-1] < 0.2 * losses[0]).all()


# --- batches and refusals ----------------------------------------------------------------------------------

SAMPLERS = {
    "blind_dps": (blind_dps, {"denoise_kernel": KERNELS.denoise, "zeta": 0.1}),
    "uniform": (blind_dps, {"zeta": 0.02}),
    "bird": (bird, {"iterations": 5}),
    "bird, straight through": (bird, {"iterations": 5, "gradient": "straight-through", "lr": 0.1}),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_does_not_depend_on_its_batch(name):
    sampler, knobs = SAMPLERS[name]
    sigmas = sc.karras(5, sigma_min=0.05, sigma_max=20.0)
    x = mt.start(sigmas, Y.shape, mt.generators(0, 3), Y)
    kept, copies = x.clone(), []
    for s in sampler(IMAGES.denoise, PROBLEM, sigmas, x, **knobs, generator=mt.generators(1, 3)):
        copies.append((s, s.x.clone(), s.kernel.clone()))
        assert not (s.x.requires_grad or s.x0hat.requires_grad or s.kernel.requires_grad)
        torch.testing.assert_close(s.kernel.sum((1, 2, 3)), torch.ones(3).double())
    for s, before, kernel in copies:
        assert torch.equal(s.x, before)
        assert torch.equal(s.kernel, kernel)
    assert torch.equal(x, kept)
    assert not x.requires_grad
    for i in range(3):
        alone = InverseProblem(PROBLEM.A, Y[i : i + 1], 0.1)
        own = mt.generators(1, 3)[i : i + 1]
        *_, one = sampler(IMAGES.denoise, alone, sigmas, x[i : i + 1], **knobs, generator=own)
        assert (one.x - copies[-1][1][i : i + 1]).abs().max() < 1e-10 * (1 + one.x.abs().max())
        assert (one.kernel - copies[-1][2][i : i + 1]).abs().max() < 1e-10


@pytest.mark.parametrize("sampler", [blind_dps, bird])
def test_an_operator_without_a_kernel_is_refused(sampler):
    problem = InverseProblem(PhaseRetrieval(), PhaseRetrieval()(Y), 0.1)
    refused_in_one_sentence(lambda: next(sampler(IMAGES.denoise, problem, TEN, Y)), "use dps")


def test_an_unknown_gradient_is_refused():
    refused_in_one_sentence(
        lambda: next(bird(IMAGES.denoise, PROBLEM, TEN, Y, gradient="both")), "straight-through"
    )
