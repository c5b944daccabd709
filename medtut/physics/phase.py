"""Phase retrieval: only the magnitudes of an oversampled Fourier transform are measured."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import BadInput
from ..operators import Number, Operator, require_real
from .mri import fft2c


@dataclass(frozen=True, eq=False)
class PhaseRetrieval(Operator):
    """y = |F P x|: P pads (b, c, h, w) with zeros to `oversample` times its size, F is orthonormal.

    An image, its turn by 180 degrees and its shifts within the padding give the same data; see `aligned`.
    """

    oversample: Number = 2

    def __post_init__(self):
        if not self.oversample >= 1:
            raise BadInput(f"got oversample = {self.oversample}, need 1 or more; use 2.")

    def __call__(self, x: Tensor) -> Tensor:
        require_real(x, 4)
        extra = [round(self.oversample * n) - n for n in (x.shape[-1], x.shape[-2])]
        pad = [side for e in extra for side in (e // 2, e - e // 2)]
        return fft2c(torch.nn.functional.pad(x, pad)).abs()


def aligned(x: Tensor, truth: Tensor) -> Tensor:
    """x, turned by 180 degrees or not and circularly shifted, per sample, to the best match with the truth.

    Of all that phase retrieval cannot tell apart, the one to compare with the truth. Both (b, c, h, w).
    """
    best, score = x, torch.full((len(x),), -torch.inf).to(x)
    w = x.shape[-1]
    for candidate in (x, x.flip(-2, -1)):
        spectrum = torch.fft.fft2(truth) * torch.fft.fft2(candidate).conj()
        match, where = torch.fft.ifft2(spectrum).real.sum(1).flatten(1).max(1)
        shifts = [(int(i) // w, int(i) % w) for i in where]
        moved = torch.stack([c.roll(s, (-2, -1)) for c, s in zip(candidate, shifts, strict=True)])
        best = torch.where((match > score)[:, None, None, None], moved, best)
        score = torch.maximum(match, score)
    return best
