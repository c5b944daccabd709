"""Samplers that solve the probability-flow equation dx/dsigma = (x - D(x, sigma)) / sigma.

Its Euler step is DDIM with eta=0 (`ancestral.ddim`).
"""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from .state import State

Image = Float[Tensor, "b *shape"]


@torch.no_grad()
def heun(denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image) -> Iterator[State]:
    """Heun's second-order method [karras2022edm, alg. 1]: two denoiser calls a step, one at the last."""
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)
        slope = (x - x0hat) / s
        x_next = x + (s_next - s) * slope
        if s_next > 0:
            slope_next = (x_next - denoise(x_next, s_next)) / s_next
            x_next = x + (s_next - s) * (slope + slope_next) / 2
        x = x_next
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def churn(
    denoise: Denoiser,
    sigmas: Float[Tensor, " n1"],
    x: Image,
    *,
    s_churn: float = 0.0,
    s_min: float = 0.0,
    s_max: float = math.inf,
    s_noise: float = 1.0,
    order: int = 2,
    generator: Noise = None,
) -> Iterator[State]:
    """EDM's stochastic sampler [karras2022edm, alg. 2]: each step first adds noise, then solves the ODE.

    Between s_min and s_max the level is raised by the share min(s_churn / steps, sqrt(2) - 1), with noise of
    standard deviation s_noise. order=2 is Heun's method, as in the paper; order=1 leaves it at Euler's.
    """
    share = min(s_churn / (len(sigmas) - 1), 2**0.5 - 1)
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        if share > 0 and s_min <= s <= s_max:
            raised = (1 + share) * s
            x = x + (raised**2 - s**2) ** 0.5 * s_noise * randn_like(x, generator)
            s = raised
        x0hat = denoise(x, s)
        slope = (x - x0hat) / s
        x_next = x + (s_next - s) * slope
        if s_next > 0 and order == 2:
            slope_next = (x_next - denoise(x_next, s_next)) / s_next
            x_next = x + (s_next - s) * (slope + slope_next) / 2
        x = x_next
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def invert(denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image) -> Iterator[State]:
    """DDIM run backwards: from a clean image `x` up to noise level sigmas[0] [song2021ddim, sec. 4.3].

    `sigmas` is the decreasing schedule that `ddim` will come back on. The noise of a clean image is not
    defined, so `x` stands for the state at the smallest positive level. Euler's method [eq. 13]: it drifts.
    """
    up = [s for s in reversed(sigmas.tolist()) if s > 0]
    for i, (s, s_next) in enumerate(pairwise(up)):
        x0hat = denoise(x, s)
        x = x0hat + (s_next / s) * (x - x0hat)
        yield State(i, s_next, x, x0hat)
