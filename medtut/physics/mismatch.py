"""What a scanner does and a reconstruction does not know: operators to simulate with, by name.

`simulate(FineGrid(A, 2), x_fine, noise_std, A_recon=A)` measures with the first and reconstructs with A.
Wrong coil maps, kernels and detector positions are the `scanner` methods of the operators themselves.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import BadInput
from ..noise import randn
from ..operators import LinearOperator, Number, to_complex, to_real
from .mri import MRI, fft2c, ifft2c


class _Scan(LinearOperator):
    """An MRI scan, the field `scan`, with something that goes wrong in it."""

    scan: MRI

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
    hope for; edges within a pixel make it ring. Coil maps are interpolated.
    """

    scan: MRI
    factor: int

    def _maps(self) -> Tensor:
        """Coil maps on the fine grid, with the two grids' scale."""
        parts = [
            torch.nn.functional.interpolate(part, scale_factor=self.factor, mode="bilinear")
            for part in (self.scan.coils.real, self.scan.coils.imag)
        ]
        return torch.complex(*parts) / self.factor

    def _window(self) -> tuple[tuple[slice, slice], Tensor]:
        """Where the measured frequencies lie in the fine k-space, and the phase between the two origins."""
        ramp, window = torch.zeros((), dtype=self.scan.coils.real.dtype, device=self.scan.coils.device), []
        for n, shape in zip(self.scan.coils.shape[-2:], ((-1, 1), (1, -1)), strict=True):
            fine = self.factor * n
            window.append(slice(fine // 2 - n // 2, fine // 2 - n // 2 + n))
            offset = self.factor * (n // 2) + (self.factor - 1) / 2 - fine // 2  # in fine pixels
            k = torch.arange(n, device=ramp.device) - n // 2
            ramp = ramp + (2 * torch.pi * offset / fine * k.to(ramp)).reshape(shape)
        return (window[0], window[1]), torch.polar(torch.ones_like(ramp), ramp)

    def __call__(self, x: Tensor) -> Tensor:
        size = [self.factor * n for n in self.scan.coils.shape[-2:]]
        if list(x.shape[-2:]) != size:
            raise BadInput(
                f"got an image of {tuple(x.shape[-2:])} pixels, need {tuple(size)}, {self.factor} times the "
                "grid of the scan; use a truth drawn on that grid."
            )
        (rows, columns), phase = self._window()
        return self.restrict(phase * fft2c(self._maps() * to_complex(x)[:, None])[..., rows, columns])

    def adjoint(self, y: Tensor) -> Tensor:
        (rows, columns), phase = self._window()
        h, w = self.scan.coils.shape[-2:]
        fine = y.new_zeros(*y.shape[:-2], self.factor * h, self.factor * w)
        fine[..., rows, columns] = phase.conj() * self.restrict(y)
        return to_real((self._maps().conj() * ifft2c(fine)).sum(1))


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

    mixing: (n_coils, n_coils) complex, the noise covariance being mixing @ mixing^H [pruessmann1999sense].
    """

    scan: MRI
    mixing: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return self.scan(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.scan.adjoint(y)

    def noise(self, n: Tensor) -> Tensor:
        return self.restrict(torch.einsum("ij,bjhw->bihw", self.mixing.to(n), n))


def coil_mixing(n: int, strength: Number = 0.5, generator: torch.Generator | None = None) -> Tensor:
    """A random mixing (n, n) for `ColouredNoise`: mean variance 1 over the coils; strength 0: white."""
    error = torch.view_as_complex(randn((n, n, 2), generator)) / (2 * n) ** 0.5
    mixing = torch.eye(n) + strength * error
    return mixing / (mixing.abs().square().sum() / n) ** 0.5
