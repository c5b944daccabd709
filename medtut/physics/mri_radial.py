"""Radial MRI: k-space along spokes, off the grid; the transform is the exact sum, no fast approximation."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ..errors import BadInput
from ..operators import LinearOperator, to_complex, to_real
from .mri import MRI


def _waves(k: Tensor, n: int) -> Tensor:
    """exp(-2 pi i k r) of frequencies (m,) at the n pixels around the middle one, (m, n)."""
    turn = -2 * torch.pi * k[:, None] * (torch.arange(n, device=k.device) - n // 2).to(k)
    return torch.polar(torch.ones_like(turn), turn)


@dataclass(frozen=True, eq=False)
class RadialMRI(LinearOperator):
    """y_c(k) = sum over pixels r of S_c(r) x(r) exp(-2 pi i k r) / sqrt(h w), at any k off the grid.

    k: (m, 2) in cycles per pixel along rows (down) and columns (right), -1/2 to 1/2, see `spokes`. coils as
    in `MRI`. x: (b, 2, h, w); y: (b, n_coils, m) complex. Cost m h w per coil; the Gram operator, which
    iterations need most, is a convolution and costs two FFTs of twice the size.
    """

    k: Tensor
    coils: Tensor

    def __post_init__(self):
        if self.k.is_complex() or self.k.ndim != 2 or self.k.shape[1] != 2 or not (self.k.abs() <= 0.5).all():
            raise BadInput(
                f"got a trajectory of shape {tuple(self.k.shape)}, need real (m, 2) in cycles per pixel, "
                "between -0.5 and 0.5; use spokes(n, samples)."
            )
        MRI(torch.ones(self.coils.shape[-2:]), self.coils)  # refuses what is not a set of coil maps

    @property
    def _scale(self) -> float:
        return (self.coils.shape[-2] * self.coils.shape[-1]) ** -0.5

    def __call__(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != self.coils.shape[-2:]:
            raise BadInput(
                f"got an image of {tuple(x.shape[-2:])} pixels, need {tuple(self.coils.shape[-2:])} as "
                "the coil maps have; use an operator made for that size."
            )
        rows, columns = (_waves(k.to(x), n) for k, n in zip(self.k.T, x.shape[-2:], strict=True))
        images = self.coils * to_complex(x)[:, None]
        return self._scale * ((images @ columns.T) * rows.T).sum(-2)

    def adjoint(self, y: Tensor) -> Tensor:
        size = self.coils.shape[-2:]
        rows, columns = (_waves(k.to(y.real), n).conj() for k, n in zip(self.k.T, size, strict=True))
        images = self._scale * ((rows.T * y[..., None, :]) @ columns)
        return to_real((self.coils.conj() * images).sum(1))

    @cached_property
    def _response(self) -> Tensor:
        """Transform of the point spread on the doubled grid: a shift of an image shifts all of it."""
        h, w = self.coils.shape[-2:]
        k = self.k.to(self.coils.real)
        rows, columns = _waves(k[:, 0], 2 * h).conj(), _waves(k[:, 1], 2 * w).conj()
        return torch.fft.fft2(torch.fft.ifftshift(rows.T @ columns)) * self._scale**2

    def gram(self, x: Tensor) -> Tensor:
        h, w = self.coils.shape[-2:]
        images = self.coils * to_complex(x)[:, None]
        wide = torch.fft.ifft2(self._response * torch.fft.fft2(images, (2 * h, 2 * w)))
        return to_real((self.coils.conj() * wide[..., :h, :w]).sum(1))

    def repeat(self, n: int) -> "RadialMRI":
        return RadialMRI(self.k, self.coils.repeat_interleave(n, 0) if len(self.coils) > 1 else self.coils)

    def scanner(self, generator=None) -> "RadialMRI":
        """The same scan with a scanner's coil maps, as in `MRI.scanner`."""
        cartesian = MRI(torch.ones(self.coils.shape[-2:]), self.coils)
        return RadialMRI(self.k, cartesian.scanner(generator).coils)


def spokes(n: int, samples: int, golden: bool = False) -> Tensor:
    """Trajectory (n samples, 2) for `RadialMRI`: n lines through the centre of k-space.

    Angles are k * 180 / n degrees; golden=True: k * 111.25 degrees, so that any run of them is spread evenly.
    """
    if n < 1 or samples < 2:
        raise BadInput(f"got {n} spokes of {samples} samples, need at least 1 of 2; use spokes(32, 128).")
    turn = 2 / (1 + 5**0.5) if golden else 1 / n
    angle = torch.pi * turn * torch.arange(n, dtype=torch.float64)
    radius = (torch.arange(samples, dtype=torch.float64) - samples // 2) / samples
    k = radius[:, None] * torch.stack([angle.sin(), angle.cos()], -1)[:, None]
    return k.flatten(0, 1).float()
