"""Samplers that walk the chain of noise levels: DDPM and the DDIM family.

In x = x0 + sigma * eps both are one formula: keep a part of the present noise and add some that is fresh.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from .state import State

Image = Float[Tensor, "b *shape"]


def renoise(
    x: Image, x0hat: Image, s: float, s_next: float, eta: float = 0.0, generator: Noise = None
) -> Image:
    """Move from noise level s to s_next along x0hat [song2021ddim, eq. 12 and 16]; eta=0 DDIM, eta=1 DDPM.

    The equations are the paper's, divided by sqrt(abar) of the level that each side stands at.
    """
    fresh = eta * s_next * max(1 - (s_next / s) ** 2, 0.0) ** 0.5
    kept = (s_next**2 - fresh**2) ** 0.5
    x = x0hat + (kept / s) * (x - x0hat)
    return x + fresh * randn_like(x, generator) if fresh > 0 else x


@torch.no_grad()
def ddim(
    denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image, *, eta: float = 0.0, generator: Noise = None
) -> Iterator[State]:
    """DDIM [song2021ddim, eq. 12]. `x` has noise level sigmas[0]; deterministic for eta=0."""
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)
        x = renoise(x, x0hat, s, s_next, eta, generator)
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def ddpm(
    denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image, *, large: bool = False, generator: Noise = None
) -> Iterator[State]:
    """Ancestral sampling [ho2020ddpm, alg. 2], right for any subset of the levels.

    Mean and variance are those of q(x_next | x, x0hat) between the two levels that are *used* [eq. 7].
    `large=True` takes the variance beta of the forward step instead of the posterior's [sec. 3.2]; no noise
    is added at the last step.
    """
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)
        mean = x0hat + (s_next / s) ** 2 * (x - x0hat)  # [eq. 7], left
        variance = s_next**2 * (1 - (s_next / s) ** 2)  # [eq. 7], right
        if large and s_next > 0:
            variance = (s**2 - s_next**2) * (1 + s_next**2) / (1 + s**2)  # beta / abar_next
        x = mean + variance**0.5 * randn_like(x, generator) if variance > 0 else mean
        yield State(i, s_next, x, x0hat)
