"""DPS and DDS: equal to their papers' own lines, and in Gaussian worlds as biased as they are known to be."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch

import medtut as mt
from medtut import schedules as sc
from medtut.operators import InverseProblem, LinearOperator, conjugate_gradient, dot
from medtut.physics.mri import MRI, cartesian_mask, coil_maps
from medtut.posterior import dds, dps, fit_gaussian


def g(seed=0):
    return torch.Generator().manual_seed(seed)


@dataclass(frozen=True, eq=False)
class Matrix(LinearOperator):
    """y = M x on vectors kept as images (b, 1, d)."""

    M: torch.Tensor

    def __call__(self, x):
        return x.flatten(1) @ self.M.T

    def adjoint(self, y):
        return (y @ self.M)[:, None]


MIXTURE = mt.GaussianMixture(
    torch.tensor([0.4, 0.6]).double(),
    torch.randn(2, 1, 6, generator=g(), dtype=torch.float64),
    torch.stack([0.3 * torch.eye(6), torch.diag(torch.linspace(0.05, 1, 6))]).double(),
)
A6 = Matrix(torch.randn(3, 6, generator=g(1), dtype=torch.float64))
Y6 = torch.randn(3, 3, generator=g(2), dtype=torch.float64) * torch.tensor([[0.5], [1.0], [3.0]]).double()
PROBLEM = InverseProblem(A6, Y6, 0.1)
LEVELS = sc.trailing(sc.vp_table(), 60)


def vp_score(x, abar):
    """grad log p of the VP state: (sqrt(abar) E[x0 | x] - x) / (1 - abar)."""
    sigma = ((1 - abar) / abar) ** 0.5
    return (abar**0.5 * MIXTURE.denoise(x / abar**0.5, sigma) - x) / (1 - abar)


def paper_dps(x, y, abars, zeta, generator):
    """Algorithm 1 (Gaussian noise) in the paper's variables, one sample; abars falls towards noise.

    zeta_i = zeta / (2 |y - A(x0)|), which turns the gradient of the square into zeta times that of the norm.
    """
    for i in range(len(abars) - 1, 0, -1):
        abar, before = abars[i], abars[i - 1]
        alpha, beta = abar / before, 1 - abar / before
        x = x.detach().requires_grad_()
        s = vp_score(x, abar)
        x0 = (x + (1 - abar) * s) / abar**0.5
        z = torch.randn(x.shape[1:], generator=generator, dtype=x.dtype)[None] if i > 1 else 0
        std = (beta * (1 - before) / (1 - abar)) ** 0.5
        mean = alpha**0.5 * (1 - before) / (1 - abar) * x + before**0.5 * beta / (1 - abar) * x0
        square = (y - A6(x0)).square().sum()
        zeta_i = zeta / (2 * square.sqrt().item())
        x = mean + std * z - zeta_i * torch.autograd.grad(square, x)[0]
    return x.detach()


@pytest.mark.parametrize("zeta", [0.0, 0.1, 1.0])
def test_dps_is_algorithm_1_in_the_papers_variables(zeta):
    x = mt.start(LEVELS, (3, 1, 6), mt.generators(0, 3), Y6)
    ours = mt.last(dps(MIXTURE.denoise, PROBLEM, LEVELS, x, zeta=zeta, generator=mt.generators(1, 3)))
    abars = sc.abar(LEVELS).flip(0).tolist()  # 1, ..., nearly 0
    for i in range(3):
        x_vp = x[i : i + 1] * abars[-1] ** 0.5
        theirs = paper_dps(x_vp, Y6[i : i + 1], abars, zeta, mt.generators(1, 3)[i])
        torch.testing.assert_close(ours[i : i + 1], theirs, rtol=1e-5, atol=1e-5)


def test_a_wrong_zeta_is_seen():
    """The test above can fail: a factor of sqrt(2) or a wrong sign leads elsewhere."""
    x = mt.start(LEVELS, (3, 1, 6), mt.generators(0, 3), Y6)

    def run(zeta):
        return mt.last(dps(MIXTURE.denoise, PROBLEM, LEVELS, x, zeta=zeta, generator=mt.generators(1, 3)))

    assert (run(0.1) - run(0.1 * 2**0.5)).abs().max() > 1e-2
    assert (run(0.1) - run(-0.1)).abs().max() > 1


def paper_dds(x, y, abars, gamma, eta, steps, generator):
    """The authors' solver for noisy data in VP variables, one sample; inner products per sample."""
    for i in range(len(abars) - 1, 0, -1):
        at, before = abars[i], abars[i - 1]
        et = -((1 - at) ** 0.5) * vp_score(x, at)
        x0 = (x - et * (1 - at) ** 0.5) / at**0.5
        b = x0 + gamma * A6.adjoint(y)
        r = b - (x0 + gamma * A6.adjoint(A6(x0)))
        p, old = r, (r * r).sum()
        for _ in range(steps):
            q = p + gamma * A6.adjoint(A6(p))
            a = old / (p * q).sum()
            x0, r = x0 + a * p, r - a * q
            new = (r * r).sum()
            p, old = r + new / old * p, new
        c1, c2 = (1 - before) ** 0.5 * eta, (1 - before) ** 0.5 * (1 - eta**2) ** 0.5
        z = torch.randn(x.shape[1:], generator=generator, dtype=x.dtype)[None] if i > 1 and eta > 0 else 0
        x = before**0.5 * x0 + c1 * z + c2 * et
    return x


@pytest.mark.parametrize(("gamma", "eta", "steps"), [(1.0, 0.85, 5), (0.3, 0.0, 2), (4.0, 1.0, 1)])
def test_dds_is_the_authors_solver_in_the_papers_variables(gamma, eta, steps):
    x = mt.start(LEVELS, (3, 1, 6), mt.generators(0, 3), Y6)
    knobs = {"gamma": gamma, "eta": eta, "cg_steps": steps}
    ours = mt.last(dds(MIXTURE.denoise, PROBLEM, LEVELS, x, **knobs, generator=mt.generators(1, 3)))
    abars = sc.abar(LEVELS).flip(0).tolist()
    for i in range(3):
        x_vp = x[i : i + 1] * abars[-1] ** 0.5
        theirs = paper_dds(x_vp, Y6[i : i + 1], abars, gamma, eta, steps, mt.generators(1, 3)[i])
        torch.testing.assert_close(ours[i : i + 1], theirs, rtol=1e-5, atol=1e-5)


# --- a Gaussian world whose posterior is known; coordinates 0 and 2 are measured, 1 and 3 are not -----------

VARIANCE = torch.tensor([1.0, 1.0, 0.3, 0.3]).double()
WORLD = mt.Gaussian(torch.zeros(1, 4).double(), torch.diag(VARIANCE))
GAIN = torch.tensor([[1.0, 0, 0, 0], [0, 0, 0.5, 0]]).double()
N, NOISE = 5000, 0.5
DATA = torch.tensor([1.0, 0.3]).double()
POSTERIOR = WORLD.posterior(GAIN, DATA, NOISE)  # means 0.8 and 0.138
ONE = InverseProblem(Matrix(GAIN), DATA.expand(N, -1), NOISE)


def draw(sampler, steps, **knobs):
    """Means (4,), variances over the exact ones (4,), mean chi-square."""
    sigmas = sc.karras(steps, sigma_min=0.01, sigma_max=50.0)
    x = mt.start(sigmas, (N, 1, 4), g(0), DATA)
    x = mt.last(sampler(WORLD.denoise, ONE, sigmas, x, **knobs, generator=g(1)))
    return x.mean((0, 1)), x.var(0)[0] / POSTERIOR.cov.diag(), float(ONE.chi_square(x).mean())


def recursion(steps, gamma, eta):
    """Mean and variance that DDS must end with: it is affine in x, coordinate by coordinate."""
    m, y = GAIN.sum(0), torch.tensor([1.0, 0.0, 0.3, 0.0]).double()
    levels = sc.karras(steps, sigma_min=0.01, sigma_max=50.0).tolist()
    mean, variance = torch.zeros(4).double(), torch.full((4,), levels[0] ** 2).double()
    for s, s_next in pairwise(levels):
        a = VARIANCE / (VARIANCE + s**2)
        factor = a / (1 + gamma * m**2) + (1 - a) * (1 - eta**2) ** 0.5 * s_next / s
        mean = factor * mean + gamma * m * y / (1 + gamma * m**2)
        variance = factor**2 * variance + (eta * s_next) ** 2
    return mean, variance


@pytest.mark.parametrize(("gamma", "eta"), [(1.0, 0.85), (0.1, 0.0), (0.02, 0.5), (0.0, 1.0)])
def test_dds_on_a_gaussian_has_the_moments_of_its_recursion(gamma, eta):
    mean, ratio, _ = draw(dds, 40, gamma=gamma, eta=eta, cg_steps=5)
    exact_mean, exact_variance = recursion(40, gamma, eta)
    variance = ratio * POSTERIOR.cov.diag()
    assert ((mean - exact_mean).abs() < 4 * (exact_variance / N).sqrt() + 1e-9).all()
    assert ((variance / exact_variance - 1).abs() < 4 * (2 / N) ** 0.5).all()


@pytest.mark.parametrize(("eta", "low", "high"), [(0.0, 0.93, 1.07), (0.85, 0.70, 0.80), (1.0, 0.45, 0.53)])
def test_dds_loses_prior_variance_where_the_data_are_silent(eta, low, high):
    """(1 + sqrt(1 - eta^2)) / 2 of it stays: 1, 0.76 and 0.5, as the number of steps grows."""
    _, ratio, _ = draw(dds, 200, gamma=1.0, eta=eta, cg_steps=2)
    assert ((low < ratio[[1, 3]]) & (ratio[[1, 3]] < high)).all()


def test_dds_with_the_papers_gamma_fits_the_noise():
    mean, ratio, chi = draw(dds, 100, gamma=1.0, eta=0.85)
    assert abs(mean[0] - 1.0) < 0.02  # y itself, not the posterior mean 0.8
    assert abs(mean[2] - 0.6) < 0.02  # y / 0.5, not 0.138
    assert (ratio[[0, 2]] < 0.01).all()
    assert chi < 0.01


def test_dps_without_guidance_is_the_prior():
    mean, ratio, _ = draw(dps, 400, zeta=0.0)
    prior_ratio = VARIANCE / POSTERIOR.cov.diag()
    assert (mean.abs() < 0.05).all()
    assert ((ratio / prior_ratio > 0.91) & (ratio / prior_ratio < 1.05)).all()


def test_dps_has_one_knob_and_no_calibrated_value():
    """The mean can be made right (0.8); the variance is then too small where measured."""
    mean, ratio, chi = draw(dps, 400, zeta=0.01)
    assert 0.76 < mean[0] < 0.85
    assert 0.6 < ratio[0] < 0.85
    assert 0.55 < ratio[2] < 0.75
    assert 0.4 < chi < 0.6
    assert ((ratio[[1, 3]] > 0.91) & (ratio[[1, 3]] < 1.05)).all()
    fewer, wide, _ = draw(dps, 100, zeta=0.01)  # a quarter of the steps is a quarter of the guidance
    assert 0.2 < fewer[0] < 0.32
    assert wide[0] > 2.5
    strong, narrow, chi = draw(dps, 400, zeta=0.03)
    assert abs(strong[0] - 1) < 0.02
    assert narrow[0] < 0.01
    assert chi < 0.01


# --- batches and gradients ---------------------------------------------------------------------------------

IMAGES = torch.randn(40, 2, 9, 8, generator=g(), dtype=torch.float64).cumsum(-1).cumsum(-2) / 10
PRIOR = fit_gaussian(IMAGES, 5)
MASKS = torch.stack([cartesian_mask(9, 8, 2, 0.3, generator=g(i)) for i in range(3)])[:, None]
MAPS = torch.cat([coil_maps(2, 9, 8, g(i)) for i in range(3)]).to(torch.complex128)
SCAN = InverseProblem(
    MRI(MASKS, MAPS), MRI(MASKS, MAPS)(IMAGES[:3]) * torch.tensor([0.1, 1, 10])[:, None, None, None], 0.05
)
SAMPLERS = {"dps": (dps, {"zeta": 0.1}), "dds": (dds, {"gamma": 2.0})}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_does_not_depend_on_its_batch(name):
    sampler, knobs = SAMPLERS[name]
    sigmas = sc.karras(12, sigma_min=0.05, sigma_max=20.0)
    x = mt.start(sigmas, (3, 2, 9, 8), mt.generators(0, 3), PRIOR.mean)
    together = mt.last(sampler(PRIOR.denoise, SCAN, sigmas, x, **knobs, generator=mt.generators(1, 3)))
    for i in range(3):
        alone = InverseProblem(MRI(MASKS[i : i + 1], MAPS[i : i + 1]), SCAN.y[i : i + 1], 0.05)
        one = mt.last(
            sampler(
                PRIOR.denoise, alone, sigmas, x[i : i + 1], **knobs, generator=mt.generators(1, 3)[i : i + 1]
            )
        )
        assert (one - together[i : i + 1]).abs().max() < 1e-10 * (1 + one.abs().max())


@pytest.mark.parametrize("name", SAMPLERS)
def test_states_are_detached_and_the_caller_keeps_its_gradient_mode(name):
    sampler, knobs = SAMPLERS[name]
    sigmas = sc.karras(4, sigma_min=0.1, sigma_max=20.0)
    x = mt.start(sigmas, (3, 2, 9, 8), g(), PRIOR.mean)
    kept = x.clone()
    with torch.no_grad():
        states = []
        for state in sampler(PRIOR.denoise, SCAN, sigmas, x, **knobs, generator=g(1)):
            assert not torch.is_grad_enabled()
            states.append((state, state.x.clone()))
    assert len(states) == 4
    assert [s.sigma for s, _ in states] == sigmas[1:].tolist()
    for state, copy in states:
        assert torch.equal(state.x, copy)
        assert not state.x.requires_grad
        assert not state.x0hat.requires_grad
    assert torch.equal(x, kept)
    assert not x.requires_grad


def test_dds_with_enough_steps_solves_its_proximal_problem():
    """x0hat of the last state solves (1 + gamma A^H A) x = D(x, s) + gamma A^H y."""
    sigmas = sc.karras(3, sigma_min=0.1, sigma_max=20.0)
    x = mt.start(sigmas, (3, 2, 9, 8), g(), PRIOR.mean)
    before, after = list(dds(PRIOR.denoise, SCAN, sigmas, x, gamma=3.0, cg_steps=80, generator=g(1)))[-2:]
    guess = PRIOR.denoise(before.x, before.sigma)
    slope = after.x0hat - guess + 3.0 * SCAN.grad(after.x0hat)
    assert dot(slope, slope).max() < 1e-18 * dot(guess, guess).max()
    exact = conjugate_gradient(
        lambda v: v + 3 * SCAN.A.gram(v), guess + 3 * SCAN.A.adjoint(SCAN.y), guess, 80
    )
    torch.testing.assert_close(after.x, exact)
