"""Samplers in name: optimisers of a variational objective."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from ..operators import InverseProblem, LinearOperator, Number, column
from ..samplers import State
from .steps import white


@torch.no_grad()
def red_diff(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    lam: Number = 0.25,
    lr: Number = 0.1,
    betas: tuple[float, float] = (0.9, 0.99),
    cg_steps: int = 3,
    generator: Noise = None,
) -> Iterator[State]:
    """Variational inference with a diffusion prior [mardani2024reddiff]. Targets a point estimate: the
    variational Gaussian has no width, and its mean mu is found by Adam [kingma2015adam, alg. 1].

    The gradient is that of 1/2 mean (y - A mu)^2 plus lam s (epshat - eps), a mean over the pixels too; with
    their weight lam s the level cancels: lam (mu - x0hat). noise_std plays no part. Starts at A^+ y, as the
    authors' code does (cg_steps as in `song`), or at 0 if A is not linear; x gives only the shape. Each level
    is visited once.
    """
    white(problem, "red_diff")
    mu = torch.zeros_like(x)
    if isinstance(problem.A, LinearOperator):
        mu = problem.A.pinv(problem.y, cg_steps)
    count, size = column(problem.A.count(problem.y), x), x[0].numel()
    m, v = torch.zeros_like(x), torch.zeros_like(x)
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        eps = randn_like(mu, generator)
        x0hat = denoise(mu + s * eps, s)
        epshat = (mu + s * eps - x0hat) / s
        gradient = problem.grad(mu) / count + lam * s * (epshat - eps) / size
        m = betas[0] * m + (1 - betas[0]) * gradient
        v = betas[1] * v + (1 - betas[1]) * gradient**2
        update = m / (1 - betas[0] ** (i + 1)) / ((v / (1 - betas[1] ** (i + 1))).sqrt() + 1e-8)
        mu = mu - lr * update
        yield State(i, s_next, mu, x0hat)
