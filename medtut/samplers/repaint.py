"""Inpainting with a prior that was never told of a mask: paste the known pixels, step, go back, again."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..denoisers import Denoiser
from ..errors import BadInput
from ..noise import Noise, randn_like
from .state import State


def there_and_back(n: int, jump: int = 10, resamplings: int = 10) -> list[int]:
    """The path of RePaint [lugmayr2022repaint, sec. 4.2], as indices of levels, 0 (noisiest) to n (clean).

    From level n - 1, n - 1 - jump, ... it goes back up by `jump` levels, `resamplings` - 1 times. n downward
    steps become n + (resamplings - 1) * jump * ((n - 1) // jump). The order is that of the authors' code.
    """
    if min(n, jump, resamplings) < 1:
        raise BadInput(f"got {n} steps, jump = {jump}, resamplings = {resamplings}; need 1 or more of each.")
    left = dict.fromkeys(range(n - 1, jump - 1, -jump), resamplings - 1)
    at, path = 0, [0]
    while at < n:
        at += 1
        path.append(at)
        if left.get(at, 0) > 0:
            left[at] -= 1
            path += range(at - 1, at - jump - 1, -1)
            at -= jump
    return path


@torch.no_grad()
def repaint(
    denoise: Denoiser,
    sigmas: Float[Tensor, " n1"],
    x: Float[Tensor, "b *shape"],
    *,
    known: Float[Tensor, "..."],
    mask: Float[Tensor, "..."] | Bool[Tensor, "..."],
    jump: int = 10,
    resamplings: int = 10,
    generator: Noise = None,
) -> Iterator[State]:
    """RePaint [lugmayr2022repaint, alg. 1, eq. 8]: inpainting without noise. Targets an approximation.

    `mask` is 1 where `known` holds; both broadcast to x. Each DDPM step is followed by pasting the known
    pixels at the new noise level; a jump adds the noise of `jump` forward steps [eq. 1]. One noise serves
    both halves, as a pixel sees only one of them. Line 5 is printed with the level t and with a variance for
    a standard deviation; here it is the noise of level t - 1, as in diffusers. Line 10 has the beta of t - 1;
    here, as in section 4.2, that of t. States are yielded after downward steps only. BadInput for a mask that
    is not 0 or 1.
    """
    if not ((mask == 0) | (mask == 1)).all():
        raise BadInput(
            "got a mask with entries other than 0 and 1, need a binary mask; use (mask > 0.5).float()."
        )
    inside, step, levels = mask.to(x.device) == 1, 0, sigmas.tolist()
    for i, j in pairwise(there_and_back(len(levels) - 1, jump, resamplings)):
        s, s_next = levels[i], levels[j]
        z = randn_like(x, generator) if s_next > 0 else 0.0
        if s_next > s:  # line 10, one forward step
            x = x + (s_next**2 - s**2) ** 0.5 * z
            continue
        x0hat = denoise(x, s)
        ratio = (s_next / s) ** 2
        unknown = x0hat + ratio * (x - x0hat) + s_next * (1 - ratio) ** 0.5 * z  # a DDPM step
        x = torch.where(inside, known.to(x) + s_next * z, unknown)  # lines 5 and 8
        yield State(step, s_next, x, x0hat)
        step += 1
