"""Radial MRI: k-space along spokes, off the grid; the transform is the exact sum, or on demand a fast one."""

from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor

from ..errors import BadInput
from ..operators import LinearOperator, to_complex, to_real
from .mri import MRI


def _waves(k: Tensor, n: int) -> Tensor:
    """exp(-2 pi i k r) of frequencies (m,) at the n pixels around the middle one, (m, n)."""
    turn = -2 * torch.pi * k[:, None] * (torch.arange(n, device=k.device) - n // 2).to(k)
    return torch.polar(torch.ones_like(turn), turn)


class _Fast(torch.autograd.Function):
    """The sums of `RadialMRI` by finufft [barnett2019finufft], on the CPU; size: of an image, to go back.

    The gradient of one direction is the other.
    """

    @staticmethod
    def forward(ctx, z: Tensor, k: Tensor, size: tuple[int, int] | None) -> Tensor:
        import finufft

        ctx.k, ctx.size = k, tuple(z.shape[-2:]) if size is None else None
        single = z.dtype == torch.complex64
        points = [(2 * np.pi * v).numpy() for v in k.cpu().to(torch.float32 if single else torch.float64).T]
        data, eps = z.detach().cpu().resolve_conj(), 1e-6 if single else 1e-13
        if size is None:
            flat = data.flatten(0, -3).contiguous().numpy()
            out = finufft.nufft2d2(*points, flat, eps=eps, isign=-1)
            return torch.from_numpy(out).reshape(*z.shape[:-2], -1).to(z.device)
        flat = data.flatten(0, -2).contiguous().numpy()
        out = finufft.nufft2d1(*points, flat, n_modes=size, eps=eps, isign=1)
        return torch.from_numpy(out).reshape(*z.shape[:-1], *size).to(z.device)

    @staticmethod
    def backward(ctx, g: Tensor) -> tuple:
        return _Fast.apply(g, ctx.k, ctx.size), None, None


@dataclass(frozen=True, eq=False)
class RadialMRI(LinearOperator):
    """y_c(k) = sum over pixels r of S_c(r) x(r) exp(-2 pi i k r) / sqrt(h w), at any k off the grid.

    k: (m, 2) in cycles per pixel along rows (down) and columns (right), -1/2 to 1/2, see `spokes`. coils as
    in `MRI`. x: (b, 2, h, w); y: (b, n_coils, m) complex. Cost m h w per coil; the Gram operator, which
    iterations need most, is a convolution and costs two FFTs of twice the size. fast=True takes the package
    finufft for the sums, on the CPU, to a relative 1e-6 (1e-13 in double precision).
    """

    k: Tensor
    coils: Tensor
    fast: bool = False

    def __post_init__(self):
        if self.k.is_complex() or self.k.ndim != 2 or self.k.shape[1] != 2 or not (self.k.abs() <= 0.5).all():
            raise BadInput(
                f"got a trajectory of shape {tuple(self.k.shape)}, need real (m, 2) in cycles per pixel, "
                "between -0.5 and 0.5; use spokes(n, samples)."
            )
        MRI(torch.ones(self.coils.shape[-2:]), self.coils)  # refuses what is not a set of coil maps
        if self.fast and find_spec("finufft") is None:
            raise BadInput("got fast=True, need the package finufft; use pip install finufft, or fast=False.")

    @property
    def _scale(self) -> float:
        return (self.coils.shape[-2] * self.coils.shape[-1]) ** -0.5

    def __call__(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != self.coils.shape[-2:]:
            raise BadInput(
                f"got an image of {tuple(x.shape[-2:])} pixels, need {tuple(self.coils.shape[-2:])} as "
                "the coil maps have; use an operator made for that size."
            )
        images = self.coils * to_complex(x)[:, None]
        if self.fast:
            return self._scale * _Fast.apply(images, self.k, None)
        rows, columns = (_waves(k.to(x), n) for k, n in zip(self.k.T, x.shape[-2:], strict=True))
        return self._scale * ((images @ columns.T) * rows.T).sum(-2)

    def adjoint(self, y: Tensor) -> Tensor:
        size = tuple(self.coils.shape[-2:])
        if self.fast:
            images = self._scale * _Fast.apply(y, self.k, size)
        else:
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
        coils = self.coils.repeat_interleave(n, 0) if len(self.coils) > 1 else self.coils
        return replace(self, coils=coils)

    def scanner(self, generator=None) -> "RadialMRI":
        """The same scan with a scanner's coil maps, as in `MRI.scanner`."""
        cartesian = MRI(torch.ones(self.coils.shape[-2:]), self.coils)
        return replace(self, coils=cartesian.scanner(generator).coils)


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
