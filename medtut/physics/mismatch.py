"""What a scanner does and a reconstruction does not know: operators to simulate with, by name.

`simulate(FineGrid(A, 2), x_fine, noise_std, A_recon=A)` measures with the first and reconstructs with A.
Wrong coil maps, kernels and detector positions are the `scanner` methods of the operators themselves.
They compose, from the inside out: the field of an `OffResonance`, a `FineGrid` round it, then `MotionMRI`,
then `ColouredNoise`.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ..errors import BadInput
from ..noise import randn
from ..operators import LinearOperator, Number, to_complex, to_real
from .mri import MRI


class _Scan(LinearOperator):
    """An MRI scan, the field `scan`, with something that goes wrong in it."""

    scan: LinearOperator

    @property
    def coils(self) -> Tensor:
        return self.scan.coils

    def restrict(self, y: Tensor) -> Tensor:
        return self.scan.restrict(y)

    def repeat(self, n: int) -> "_Scan":
        return replace(self, scan=self.scan.repeat(n))

    def check_truth(self, x: Tensor) -> None:
        self.scan.check_truth(x)


@dataclass(frozen=True, eq=False)
class FineGrid(_Scan):
    """The same k-space measured from an image of factor times as many pixels each way, (b, 2, f h, f w).

    A real head has no pixels. Block means of the image are what a reconstruction on the grid of `scan` can
    hope for; edges within a pixel make it ring. Coil maps, and the field of an `OffResonance`, are
    interpolated. Motion and coloured noise go round it: MotionMRI(FineGrid(scan, 2), ...).
    """

    scan: LinearOperator
    factor: int

    def __post_init__(self):
        if not isinstance(self.scan, MRI | OffResonance):
            raise BadInput(
                f"got a {type(self.scan).__name__} to measure on a finer grid, need MRI or OffResonance; use "
                "FineGrid first and put the other mismatch round it."
            )

    @cached_property
    def _parts(self) -> list[tuple]:
        """The fine image is factor^2 coarse ones side by side: pixels, phase in k-space, scan of each."""
        f, (h, w), like = self.factor, self.coils.shape[-2:], self.coils.real
        parts = []
        for i in range(f):
            for j in range(f):
                turn = torch.zeros((), device=like.device).to(like)
                for n, at, shape in ((h, i, (-1, 1)), (w, j, (1, -1))):
                    k = (torch.arange(n, device=like.device) - n // 2).to(like).reshape(shape)
                    turn = turn - 2 * torch.pi / n * k * (at - (f - 1) / 2) / f  # its shift in coarse pixels
                pixels = (..., slice(i, None, f), slice(j, None, f))
                phase = torch.polar(torch.ones_like(turn), turn)
                parts.append((pixels, phase, _part(self.scan, f, pixels)))
        return parts

    def __call__(self, x: Tensor) -> Tensor:
        size = [self.factor * n for n in self.coils.shape[-2:]]
        if list(x.shape[-2:]) != size:
            raise BadInput(
                f"got an image of {tuple(x.shape[-2:])} pixels, need {tuple(size)}, {self.factor} times the "
                "grid of the scan; use a truth drawn on that grid."
            )
        return sum(phase * scan(x[pixels]) for pixels, phase, scan in self._parts) / self.factor**2

    def adjoint(self, y: Tensor) -> Tensor:
        h, w = self.coils.shape[-2:]
        x = y.real.new_zeros(len(y), 2, self.factor * h, self.factor * w)
        for pixels, phase, scan in self._parts:
            x[pixels] = scan.adjoint(phase.conj() * y) / self.factor**2
        return x


def _finer(t: Tensor, factor: int) -> Tensor:
    return torch.nn.functional.interpolate(t, scale_factor=factor, mode="bilinear")


def _part(scan: LinearOperator, factor: int, pixels: tuple) -> LinearOperator:
    """The scan with its maps at every factor-th pixel of a grid that is finer by factor."""
    if isinstance(scan, OffResonance):
        field = _finer(scan.pixels[:, None], factor)[pixels][:, 0]
        return OffResonance(_part(scan.scan, factor, pixels), field)
    coils = torch.complex(*(_finer(part, factor) for part in (scan.coils.real, scan.coils.imag)))
    return MRI(scan.mask, coils[pixels])


@dataclass(frozen=True, eq=False)
class OffResonance(_Scan):
    """A field that is not homogeneous: while a column is read, each place gathers its own phase.

    pixels: (b or 1, h, w), how far, in pixels along the columns, the field displaces what is there: its
    frequency over the bandwidth per pixel. Exact for a constant field in time; T2* decay is left out.
    """

    scan: MRI
    pixels: Tensor

    def _readout(self) -> Tensor:
        """(b or 1, h frequencies, h rows, w): the transform along the columns with the field's phase."""
        h = self.scan.coils.shape[-2]
        k = (torch.arange(h, device=self.pixels.device) - h // 2).to(self.scan.coils.real)
        place = k[:, None] + self.pixels.to(self.scan.coils.real)
        turn = -2 * torch.pi / h * k[:, None, None] * place[:, None]
        return torch.polar(torch.full_like(turn, h**-0.5), turn)

    def __call__(self, x: Tensor) -> Tensor:
        images = self.scan.coils * to_complex(x)[:, None]
        lines = torch.einsum("bkrc,bnrc->bnkc", self._readout(), images)
        k = torch.fft.fft(torch.fft.ifftshift(lines, dim=-1), norm="ortho")
        return self.restrict(torch.fft.fftshift(k, dim=-1))

    def adjoint(self, y: Tensor) -> Tensor:
        lines = torch.fft.ifft(torch.fft.ifftshift(self.restrict(y), dim=-1), norm="ortho")
        lines = torch.fft.fftshift(lines, dim=-1)
        images = torch.einsum("bkrc,bnkc->bnrc", self._readout().conj(), lines)
        return to_real((self.scan.coils.conj() * images).sum(1))

    def repeat(self, n: int) -> "OffResonance":
        pixels = self.pixels.repeat_interleave(n, 0) if len(self.pixels) > 1 else self.pixels
        return OffResonance(self.scan.repeat(n), pixels)


@dataclass(frozen=True, eq=False)
class ColouredNoise(_Scan):
    """The same scan, whose coils share noise: white noise n of the coils arrives as mixing @ n.

    scan: MRI, RadialMRI, or one of them with other mismatches. mixing: (n_coils, n_coils) complex, the noise
    covariance being mixing @ mixing^H [pruessmann1999sense].
    """

    scan: LinearOperator
    mixing: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return self.scan(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.scan.adjoint(y)

    def noise(self, n: Tensor) -> Tensor:
        return self.restrict(torch.einsum("ij,bj...->bi...", self.mixing.to(n), n))


def coil_mixing(n: int, strength: Number = 0.5, generator: torch.Generator | None = None) -> Tensor:
    """A random mixing (n, n) for `ColouredNoise`: mean variance 1 over the coils; strength 0: white."""
    error = torch.view_as_complex(randn((n, n, 2), generator)) / (2 * n) ** 0.5
    mixing = torch.eye(n) + strength * error
    return mixing / (mixing.abs().square().sum() / n) ** 0.5
