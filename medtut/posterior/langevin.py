"""Samplers that stay at each noise level for several Langevin steps, with the likelihood in the drift.

Langevin dynamics cannot run at sigma = 0: the last x still has the noise of the smallest positive level.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from ..operators import InverseProblem, Number, column, dot
from ..samplers import State
from .steps import linear, measurement_noise, noisy, white


@torch.no_grad()
def score_ald(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    step: Number = 0.1,
    inner: int = 3,
    gamma: Number = 1.0,
    norm_matched: Number | None = None,
    generator: Noise = None,
) -> Iterator[State]:
    """Annealed Langevin dynamics with an annealed likelihood [jalal2021robust]. Targets the posterior, which
    it reaches only with many small steps; with few it is too wide.

    `inner` steps of size step s^2 a level; the likelihood's variance is (gamma s)^2 + noise_std^2. Stable for
    step (1 + |A|^2 / gamma^2) < 2. `norm_matched`, 5 in the authors' code, scales the likelihood's gradient
    to that many times the norm of the score instead: noise_std then plays no part, and nothing is targeted.
    """
    white(problem, "score_ald")
    for i, s in enumerate(sigmas[:-1].tolist()):
        size = step * s**2
        for _ in range(inner):
            x0hat = denoise(x, s)
            score = (x0hat - x) / s**2
            pull = -problem.grad(x) / ((gamma * s) ** 2 + problem.noise_std**2)
            if norm_matched is not None:
                pull = norm_matched * column((dot(score, score) / dot(pull, pull)).sqrt(), x) * pull
            x = x + size * (score + pull) + (2 * size) ** 0.5 * randn_like(x, generator)
        yield State(i, s, x, x0hat)


@torch.no_grad()
def preconditioned_ula(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    step: Number = 0.5,
    inner: int = 3,
    cg_steps: int = 50,
    generator: Noise = None,
) -> Iterator[State]:
    """Langevin dynamics on p(x; s) p(y | x), the exact likelihood at every level [luo2023bayesian], with the
    preconditioner P = (1 / s^2 + A^H A / noise_std^2)^-1 [blumenthal2025ula]. Targets the posterior.

    `inner` steps x + step P (score + likelihood) + sqrt(2 step) P^(1/2) z a level. Step and noise are one
    linear system: A.prox(u, v, noise_std^2 / s^2) is P (u / s^2 + A^H v / noise_std^2), by cg_steps unless A
    has a closed form. Stable for step < 2; too few steps leave x behind, too wide, but large ones do no harm
    at the end, because P shrinks with s. Needs noise_std > 0 and a linear operator.
    """
    A = linear(problem, "preconditioned_ula")
    noise_std = noisy(problem, "preconditioned_ula", "mcg")
    for i, s in enumerate(sigmas[:-1].tolist()):
        for _ in range(inner):
            x0hat = denoise(x, s)
            prior = step * (x0hat - x) + (2 * step) ** 0.5 * s * randn_like(x, generator)
            noise = noise_std * measurement_noise(problem, generator)
            data = step * (problem.y - A(x)) + (2 * step) ** 0.5 * noise
            x = x + A.prox(prior, data, noise_std**2 / s**2, cg_steps)
        yield State(i, s, x, x0hat)
