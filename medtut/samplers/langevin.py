"""Langevin dynamics on the noisy densities p(x; sigma), one level after the other."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from .state import State

Image = Float[Tensor, "b *shape"]


@torch.no_grad()
def annealed_langevin(
    denoise: Denoiser,
    sigmas: Float[Tensor, " n1"],
    x: Image,
    *,
    steps: int = 100,
    step_size: float = 0.2,
    final_denoise: bool = False,
    generator: Noise = None,
) -> Iterator[State]:
    """Annealed Langevin dynamics [song2019ncsn, alg. 1]: `steps` Langevin steps at each positive level.

    At level s a step has the size alpha = step_size s^2, so the paper's epsilon is step_size times the square
    of the smallest level; 0.2 is the paper's setting for images. The authors' code for images writes alpha
    where the paper has alpha / 2: its step is worth twice this one. A schedule [s, 0] is plain Langevin
    dynamics on p(x; s) [eq. 4]. Stable for step_size < 4. The last x has the noise of the smallest level,
    unless `final_denoise` returns its denoised estimate instead, one more call [jolicoeur2021adversarial].
    """
    rungs = [s for s in sigmas[:-1].tolist() for _ in range(steps)]
    for i, s in enumerate(rungs):
        x0hat = denoise(x, s)
        score = (x0hat - x) / s**2
        alpha = step_size * s**2  # [alg. 1, line 3]
        x = x + alpha / 2 * score + alpha**0.5 * randn_like(x, generator)  # [alg. 1, line 6]
        yield State(i, s, x, x0hat)
    if final_denoise:
        x0hat = denoise(x, s)
        yield State(len(rungs), 0.0, x0hat, x0hat)
