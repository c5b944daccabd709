"""The one source of randomness: drawn on the CPU and moved, so that every device follows one path."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Generator, Tensor

Noise = Generator | Sequence[Generator] | None


def generators(seed: int, n: int) -> list[Generator]:
    """One CPU generator per sample: sample i is then the same whatever batch it is drawn in.

    Seeds are `seed * 1_000_003 + i`, so neighbouring seeds share no sample for n below a million.
    """
    return [Generator().manual_seed(seed * 1_000_003 + i) for i in range(n)]


def randn(
    shape: Sequence[int], generator: Noise = None, like: Tensor | None = None
) -> Float[Tensor, "*shape"]:
    """Standard normal noise of `shape`, with the dtype and device of `like` (float32 on the CPU without it).

    `generator`: None (torch's global CPU state), a CPU `Generator`, or one per sample (`shape[0]` of them).
    Half precisions are drawn in float32 and rounded. Raises ValueError for a list of the wrong length.
    """
    dtype = torch.float64 if like is not None and like.dtype == torch.float64 else torch.float32
    if generator is None or isinstance(generator, Generator):
        z = torch.randn(tuple(shape), generator=generator, dtype=dtype)
    else:
        if len(generator) != shape[0]:
            raise ValueError(f"{len(generator)} generators for a batch of {shape[0]}: give one per sample.")
        z = torch.stack([torch.randn(tuple(shape[1:]), generator=g, dtype=dtype) for g in generator])
    return z if like is None else z.to(like)


def randn_like(x: Float[Tensor, "*shape"], generator: Noise = None) -> Float[Tensor, "*shape"]:
    """Standard normal noise with the shape, dtype and device of `x`; see `randn`."""
    return randn(x.shape, generator, x)
