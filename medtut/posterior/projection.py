"""Samplers that move x0hat towards the data, without a gradient through the network."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from ..operators import InverseProblem, Number, conjugate_gradient
from ..samplers import State


@torch.no_grad()
def dds(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    gamma: Number = 1.0,
    cg_steps: int = 5,
    eta: Number = 0.85,
    generator: Noise = None,
) -> Iterator[State]:
    """Decomposed diffusion sampling [chung2024dds], the form for noisy data. Targets an approximation.

    `cg_steps` of conjugate gradients on (1 + gamma A^H A) x = x0hat + gamma A^H y from x0hat, then a step
    with the noise of the state *before* them. As in the authors' code the fresh part of the noise is eta
    s_next whatever the step. That is not DDIM's eta: 0 is DDIM, but 1 keeps only half of the prior variance
    where the data are silent. gamma is constant, not s^2 / noise_std^2, so the data weigh more or less than
    by Bayes' rule.
    """
    back = problem.A.adjoint(problem.y)
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)  # Tweedie
        eps = (x - x0hat) / s
        x0hat = conjugate_gradient(
            lambda v: v + gamma * problem.A.gram(v), x0hat + gamma * back, x0hat, cg_steps
        )
        x = x0hat + s_next * (1 - eta**2) ** 0.5 * eps
        if eta > 0 and s_next > 0:
            x = x + s_next * eta * randn_like(x, generator)
        yield State(i, s_next, x, x0hat)
