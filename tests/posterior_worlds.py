"""What the tests of the posterior samplers share: problems, an exact world, and how to judge in it."""

from itertools import pairwise

import torch
from test_posterior import (
    A6,
    IMAGES,
    LEVELS,
    MAPS,
    MASKS,
    MIXTURE,
    PRIOR,
    PROBLEM,
    SCAN,
    Y6,
    Matrix,
    vp_score,
)

import medtut as mt
from medtut import schedules as sc
from medtut.operators import InverseProblem
from medtut.physics.mri import MRI

__all__ = ["A6", "LEVELS", "MIXTURE", "NONLINEAR", "PROBLEM", "SCAN", "Y6", "Matrix", "vp_score"]

# --- the paper's own variables -----------------------------------------------------------------------------

ABARS = sc.abar(LEVELS).flip(0).tolist()  # 1, ..., nearly 0


def vp_eps(x, abar):
    return -((1 - abar) ** 0.5) * vp_score(x, abar)


def vp_noise(x, generator):
    return torch.randn(x.shape[1:], generator=generator, dtype=x.dtype)[None]


def same_as_paper(sampler, paper, problem=PROBLEM, **knobs):
    """Three samples by `sampler` equal those by `paper(x, y, generator)`, one at a time, in VP variables."""
    x = mt.start(LEVELS, (3, 1, 6), mt.generators(0, 3), Y6)
    ours = mt.last(sampler(MIXTURE.denoise, problem, LEVELS, x, **knobs, generator=mt.generators(1, 3)))
    for i in range(3):
        theirs = paper(x[i : i + 1] * ABARS[-1] ** 0.5, Y6[i : i + 1], mt.generators(1, 3)[i])
        torch.testing.assert_close(ours[i : i + 1], theirs.detach(), rtol=1e-5, atol=1e-5)


# --- a Gaussian world of four dimensions; two numbers are measured ------------------------------------------


def _rotation(n, seed):
    z = torch.randn(n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.linalg.qr(z)[0]


def _covariance(*variances):
    turn = _rotation(len(variances), 0)
    return turn @ torch.diag(torch.tensor(variances).double()) @ turn.T


N, NOISE = 2000, 0.3
COV = _covariance(2.0, 0.8, 0.3, 0.1)
WORLD = mt.Gaussian(torch.zeros(1, 4).double(), COV)
AXES = _rotation(4, 1)  # rows: two that are measured, two that are not
GAIN = torch.tensor([[1.0, 0.0], [0.6, 0.4]]).double() @ AXES[:2]
DATA = torch.tensor([1.0, -0.4]).double()
EXACT = WORLD.posterior(GAIN, DATA, NOISE)
MU = EXACT.mean.flatten()


class Dense(Matrix):
    """A small matrix that solves directly, where other operators need conjugate gradients."""

    def prox(self, z, y, rho, iters=0):
        gram = self.M.T @ self.M + rho * torch.eye(self.M.shape[1]).double()
        return torch.linalg.solve(gram, (self.adjoint(y) + rho * z)[:, 0].T).T[:, None]

    def pinv(self, y, iters=0):
        return (y @ torch.linalg.pinv(self.M).T)[:, None]


ONE = InverseProblem(Dense(GAIN), DATA.expand(N, -1), NOISE)
EYE = torch.eye(4).double()


def shrink(s):
    """The matrix of the exact denoiser."""
    return COV @ torch.linalg.inv(COV + s**2 * EYE)


def draws(sampler, sigmas, problem=ONE, world=WORLD, seed=0, **knobs):
    """N draws, (N, 4)."""
    x = mt.start(sigmas, (N, 1, 4), torch.Generator().manual_seed(seed), DATA)
    generator = torch.Generator().manual_seed(seed + 1)
    return mt.last(sampler(world.denoise, problem, sigmas, x, **knobs, generator=generator)).flatten(1)


def deviation(x, mean, cov):
    """How many Monte-Carlo standard errors the draws are from N(mean, cov) at most: in the mean, in the
    covariance, both seen where that Gaussian is white."""
    z = torch.linalg.solve_triangular(torch.linalg.cholesky(cov), (x - mean).T, upper=False).T
    spread = (z - z.mean(0)).T @ (z - z.mean(0)) / (len(z) - 1)
    error = (1 + torch.eye(len(mean)).double()).sqrt()  # variances have twice the variance of covariances
    return float(z.mean(0).abs().max() * len(z) ** 0.5), float(
        ((spread - torch.eye(len(mean)).double()) / error).abs().max() * len(z) ** 0.5
    )


def distance(mean, cov):
    """The same two numbers for moments that are known, not drawn: how far N draws with them would show."""
    root = torch.linalg.cholesky(EXACT.cov)
    z = torch.linalg.solve_triangular(root, (mean - MU)[:, None], upper=False)
    white = torch.linalg.solve_triangular(root, cov, upper=False)
    white = torch.linalg.solve_triangular(root, white.T, upper=False)
    return float(z.abs().max() * N**0.5), float(((white - EYE) / (1 + EYE).sqrt()).abs().max() * N**0.5)


def bias(mean, cov):
    """Error of the mean over the posterior's spread, and the variance over the exact one in the row space of
    A and in its null space: 0, 1, 1 for the posterior."""
    row, null = AXES[:2], AXES[2:]
    return (
        float((mean - MU).norm() / EXACT.cov.trace().sqrt()),
        float((row @ cov @ row.T).trace() / (row @ EXACT.cov @ row.T).trace()),
        float((null @ cov @ null.T).trace() / (null @ EXACT.cov @ null.T).trace()),
    )


def ancestral(s, s_next):
    """x' = matrix x + N(0, fresh): one DDPM step of the exact denoiser."""
    a = (s_next / s) ** 2
    return a * EYE + (1 - a) * shrink(s), s_next**2 * (1 - a) * EYE


def recursion(sigmas, step, start=None):
    """Mean and covariance of a sampler affine in x: step(s, s_next) is (matrix, shift, covariance)."""
    levels = sigmas.tolist()
    mean, cov = (torch.zeros(4).double(), levels[0] ** 2 * EYE) if start is None else start
    for s, s_next in pairwise(levels):
        matrix, shift, fresh = step(s, s_next)
        mean, cov = matrix @ mean + shift, matrix @ cov @ matrix.T + fresh
    return mean, cov


def repeat(matrix, shift, fresh, times):
    """`times` equal affine steps as one."""
    B, c, Q = EYE, torch.zeros(4).double(), 0 * EYE
    for _ in range(times):
        B, c, Q = matrix @ B, matrix @ c + shift, matrix @ Q @ matrix.T + fresh
    return B, c, Q


# --- batches -----------------------------------------------------------------------------------------------

ONE_COIL = torch.ones(1, 1, 9, 8, dtype=torch.complex128)
PLAIN = InverseProblem(MRI(MASKS, ONE_COIL), MRI(MASKS, ONE_COIL)(IMAGES[:3]), 0.05)


def _alone(problem, i):
    coils = problem.A.coils if len(problem.A.coils) == 1 else MAPS[i : i + 1]
    return InverseProblem(MRI(MASKS[i : i + 1], coils), problem.y[i : i + 1], problem.noise_std)


def same_alone(sampler, problem=SCAN, steps=8, particles=None, **knobs):
    """A batch of three with three generators equals three single runs; states are detached and kept.

    Conjugate gradients must be near their end for this: what is left of a rounding error grows on the way.
    """
    sigmas = sc.karras(steps, sigma_min=0.05, sigma_max=20.0)
    shape = (3, 2, 9, 8) if particles is None else (3, particles, 2, 9, 8)
    x = mt.start(sigmas, shape, mt.generators(0, 3), PRIOR.mean)
    kept, states = x.clone(), []
    for state in sampler(PRIOR.denoise, problem, sigmas, x, **knobs, generator=mt.generators(1, 3)):
        states.append((state, state.x.clone()))
    for i in range(3):
        own = mt.generators(1, 3)[i : i + 1]
        one = mt.last(
            sampler(PRIOR.denoise, _alone(problem, i), sigmas, x[i : i + 1], **knobs, generator=own)
        )
        assert (one - states[-1][0].x[i : i + 1]).abs().max() < 1e-10 * (1 + one.abs().max())
    assert torch.equal(x, kept)
    for state, copy in states:
        assert torch.equal(state.x, copy)
        assert not state.x.requires_grad
        assert not state.x0hat.requires_grad
    return [state for state, _ in states]


class _Magnitude(mt.operators.Operator):
    """y = |x|, which is not linear."""

    def __call__(self, x):
        return x.abs()


NONLINEAR = InverseProblem(_Magnitude(), torch.ones(1, 1, 4), 0.1)
