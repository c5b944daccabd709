"""Samplers that solve the probability-flow equation dx/dsigma = (x - D(x, sigma)) / sigma.

Its Euler step is DDIM with eta=0 (`ancestral.ddim`).
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser
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
def invert(denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image) -> Iterator[State]:
    """DDIM run backwards: from a clean image `x` up to noise level sigmas[0] [song2021ddim, sec. 4.3].

    `sigmas` is the decreasing schedule that `ddim` will come back on. The noise of a clean image is not
    defined, so `x` stands for the state at the smallest positive level. First order: it drifts.
    """
    up = [s for s in reversed(sigmas.tolist()) if s > 0]
    for i, (s, s_next) in enumerate(pairwise(up)):
        x0hat = denoise(x, s)
        x = x0hat + (s_next / s) * (x - x0hat)
        yield State(i, s_next, x, x0hat)
