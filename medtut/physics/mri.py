"""Cartesian magnetic resonance imaging: Fourier transform, sampling masks, receive coils, phase.

Images (b, 2, h, w); k-space (b, n_coils, h, w), complex, its zero frequency at (h // 2, w // 2).
Phase-encode lines are columns: a column of k-space is measured as a whole or not at all.
"""

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import BadInput
from ..noise import randn
from ..operators import LinearOperator, Number, to_complex, to_real

COIL_ERROR = 0.01  # relative error of the coil maps that a simulated scanner has and its user does not know


class PhaseFreeWarning(UserWarning):
    """The truth has no phase, so that half of k-space follows from the other half."""


def fft2c(x: Tensor) -> Tensor:
    """Centred, orthonormal Fourier transform over the last two axes; right for odd sizes too."""
    return torch.fft.fftshift(
        torch.fft.fft2(torch.fft.ifftshift(x, dim=(-2, -1)), norm="ortho"), dim=(-2, -1)
    )


def ifft2c(k: Tensor) -> Tensor:
    """The inverse, and the adjoint, of `fft2c`."""
    return torch.fft.fftshift(
        torch.fft.ifft2(torch.fft.ifftshift(k, dim=(-2, -1)), norm="ortho"), dim=(-2, -1)
    )


@dataclass(frozen=True, eq=False)
class MRI(LinearOperator):
    """y_c = M F (S_c x): multi-coil Cartesian MRI in the SENSE model [pruessmann1999sense].

    mask: (h, w) or (b, 1, h, w), 0 or 1. coils: (b or 1, n_coils, h, w) complex, sum of squares 1; ones with
    n_coils = 1 is the single-coil scan. x: (b, 2, h, w) real; y: (b, n_coils, h, w) complex.
    """

    mask: Tensor
    coils: Tensor

    def __post_init__(self):
        if not self.coils.is_complex() or self.coils.ndim != 4:
            raise BadInput(
                f"got coil maps of shape {tuple(self.coils.shape)} and type {self.coils.dtype}, need "
                "complex (b or 1, n_coils, h, w); use coil_maps(n, h, w)."
            )
        if (
            self.mask.is_complex()
            or self.mask.shape[-2:] != self.coils.shape[-2:]
            or self.mask.ndim not in (2, 4)
        ):
            raise BadInput(
                f"got a mask of shape {tuple(self.mask.shape)} for coil maps of "
                f"{tuple(self.coils.shape[-2:])} pixels, need real (h, w) or (b, 1, h, w) of that size; "
                "use cartesian_mask(h, w, acceleration, centre_fraction)."
            )
        if not ((self.mask == 0) | (self.mask == 1)).all():
            raise BadInput(
                "got a mask with entries other than 0 and 1, need a binary mask; use (mask > 0.5).float()."
            )

    def __call__(self, x: Tensor) -> Tensor:
        if x.shape[-2:] != self.coils.shape[-2:]:
            raise BadInput(
                f"got an image of {tuple(x.shape[-2:])} pixels, need {tuple(self.coils.shape[-2:])} as "
                "the coil maps have; use an operator made for that size."
            )
        return self.restrict(fft2c(self.coils * to_complex(x)[:, None]))

    def adjoint(self, y: Tensor) -> Tensor:
        return to_real((self.coils.conj() * ifft2c(self.restrict(y))).sum(1))

    def restrict(self, y: Tensor) -> Tensor:
        return self.mask.to(y.real.dtype) * y

    def density(self) -> Tensor:
        """The diagonal of F A^H A F^H, (b or 1, h, w): how much of each frequency the scan hears, 0 to 1."""
        reach = fft2c(self.coils).abs().square().sum(1) / self.coils.shape[-1] / self.coils.shape[-2]
        mask = self.mask.reshape(-1, *self.mask.shape[-2:]).to(reach)
        shift = torch.fft.fft2(torch.fft.ifftshift(reach, dim=(-2, -1)))
        return torch.fft.ifft2(torch.fft.fft2(mask) * shift.conj()).real.clamp(0, 1)

    def repeat(self, n: int) -> "MRI":
        mask = self.mask.repeat_interleave(n, 0) if self.mask.ndim == 4 and len(self.mask) > 1 else self.mask
        return MRI(mask, self.coils.repeat_interleave(n, 0) if len(self.coils) > 1 else self.coils)

    def scanner(self, generator=None) -> "MRI":
        """The same scan with true coil maps that differ by a smooth relative error of `COIL_ERROR`."""
        shape = (
            1 if generator is None or isinstance(generator, torch.Generator) else len(generator),
            *self.coils.shape[1:],
        )
        error = torch.complex(*(_smooth(shape, generator, self.coils.real) for _ in range(2)))
        error = error / error.abs().square().mean((-2, -1), keepdim=True).sqrt()
        return MRI(self.mask, self.coils * (1 + COIL_ERROR * error))

    def check_truth(self, x: Tensor) -> None:
        z = to_complex(x).flatten(1)
        # a constant phase is no phase: then |sum of squares| equals the sum of squared magnitudes
        if (z.square().sum(1).abs() > (1 - 1e-6) * z.abs().square().sum(1)).any():
            real, nominal = (
                effective_acceleration(self.mask, phase_free=True),
                effective_acceleration(self.mask),
            )
            warnings.warn(
                f"got a truth without phase, whose k-space is conjugate symmetric, so the {nominal:.1f}x "
                f"mask acts like {real:.1f}x; use smooth_phase to give it one.",
                PhaseFreeWarning,
                stacklevel=4,
            )


def cartesian_mask(
    h: int, w: int, acceleration: Number, centre_fraction: Number = 0.08, kind: str = "random", generator=None
) -> Tensor:
    """Mask (h, w) of 0 and 1: round(w / acceleration) columns, round(w * centre_fraction) of them central.

    kind "random": the other columns are drawn at random [lustig2007sparse]; "gaussian": at random too, more
    of them near the centre, by a Gaussian density of standard deviation w / 6; "uniform": equally spaced.
    """
    keep = centre_columns(w, acceleration, centre_fraction)
    rest, missing = (keep == 0).nonzero()[:, 0], round(w / acceleration) - int(keep.sum())
    if kind == "random":
        chosen = torch.randperm(len(rest), generator=generator)[:missing]
    elif kind == "gaussian":
        density = torch.exp(-(((rest - w // 2) / (w / 6)) ** 2) / 2)
        chosen = torch.multinomial(density, missing, generator=generator) if missing else rest[:0]
    elif kind == "uniform":
        chosen = ((torch.arange(missing) + 0.5) * len(rest) / max(missing, 1)).long()
    else:
        raise BadInput(
            f"got kind = {kind!r}, need 'random', 'gaussian' or 'uniform'; use 'random' if in doubt."
        )
    keep[rest[chosen]] = 1
    return keep.expand(h, w).clone()


def centre_columns(w: int, acceleration: Number, centre_fraction: Number) -> Tensor:
    """The round(w * centre_fraction) central ones of w columns, (w,) of 0 and 1, if they fit."""
    lines, centre = round(w / acceleration), round(w * centre_fraction)
    if not 1 <= lines <= w or not 0 <= centre <= lines:
        raise BadInput(
            f"got acceleration {acceleration} with {centre} centre lines, need at most {lines} of the "
            f"{w} lines in the centre; use a smaller centre_fraction."
        )
    keep = torch.zeros(w)
    keep[w // 2 - centre // 2 : w // 2 - centre // 2 + centre] = 1
    return keep


def effective_acceleration(mask: Tensor, phase_free: bool = False) -> float:
    """Entries of k-space over entries known; with phase_free, the conjugate of a measured one is known too.

    mask (h, w) or (b, 1, h, w). The k-space of a real image is conjugate symmetric about the zero frequency.
    """
    known = mask > 0.5
    if phase_free:
        h, w = mask.shape[-2:]
        rows, columns = (2 * (h // 2) - torch.arange(h)) % h, (2 * (w // 2) - torch.arange(w)) % w
        known = known | known[..., rows, :][..., columns]
    if not known.any():
        raise BadInput("got a mask without any line, need at least one; use cartesian_mask(h, w, 4).")
    return known.numel() / int(known.sum())


def _smooth(shape: tuple, generator, like: Tensor, modes: int = 3) -> Tensor:
    """Random smooth fields (b, n, h, w): the lowest modes x modes cosines, weights 1 / (1 + i + j)."""
    b, n, h, w = shape
    weight = randn((b, n, modes, modes), generator, like)
    order = torch.arange(modes, device=like.device)
    weight = weight / (1 + order[:, None] + order)
    basis = [
        torch.cos(math.pi * order[:, None] * (torch.arange(s, device=like.device) + 0.5) / s) for s in (h, w)
    ]
    return torch.einsum("bnij,ih,jw->bnhw", weight, basis[0].to(like), basis[1].to(like))


def smooth_phase(shape: tuple[int, int, int], generator=None) -> Tensor:
    """Random phase maps in radians, (b, h, w): an offset, slopes and bends of about one radian each.

    Such phases come from B0 inhomogeneity, flow and the receive chain; no part of them is zero.
    """
    b, h, w = shape
    return 1.5 * _smooth((b, 1, h, w), generator, torch.zeros(()))[:, 0]


def coil_maps(n: int, h: int, w: int, generator=None) -> Tensor:
    """Smooth complex receive sensitivities (1, n, h, w), sum of squares 1: n coils on a ring round the head.

    n = 1 gives ones, because the phase of a single coil cannot be told from that of the image.
    """
    if n == 1:
        return torch.ones(1, 1, h, w, dtype=torch.complex64)
    turn = 2 * math.pi * torch.rand((), generator=generator)
    angle = turn + 2 * math.pi * torch.arange(n)[:, None, None] / n
    v, u = torch.linspace(-1, 1, h)[:, None], torch.linspace(-1, 1, w)
    distance2 = (u - 1.2 * angle.cos()) ** 2 + (v - 1.2 * angle.sin()) ** 2
    phase = _smooth((1, n, h, w), generator, torch.zeros(()))[0]
    maps = torch.polar(torch.exp(-distance2 / 2), phase)
    return (maps / maps.abs().square().sum(0).sqrt())[None]


def centre_lines(mask: Tensor) -> tuple[int, int]:
    """First and last + 1 of the columns around the zero frequency that are measured as a whole."""
    full = (mask > 0.5).reshape(-1, *mask.shape[-2:]).all(0).all(0)
    low = high = mask.shape[-1] // 2
    while low > 0 and full[low - 1]:
        low -= 1
    while high < len(full) and full[high]:
        high += 1
    if high - low < 4 or not full[mask.shape[-1] // 2]:
        raise BadInput(
            f"got a mask with {high - low if full[mask.shape[-1] // 2] else 0} lines in the centre, need "
            "4 or more side by side to estimate coil maps; use cartesian_mask with a centre_fraction, or "
            "give the coil maps."
        )
    return low, high


def estimate_coils(y: Tensor, mask: Tensor) -> Tensor:
    """Coil maps (b, n, h, w) from the fully measured centre lines of y: low-resolution coil images over their
    root sum of squares [mckenzie2002self].

    The phase is relative to one virtual coil per sample, the strongest mixture, so the image keeps its own.
    """
    low, high = centre_lines(mask)
    h, w = y.shape[-2:]
    rows = min(h, 2 * (high - low))
    top = h // 2 - rows // 2
    window = torch.zeros(h, w, device=y.device)
    window[top : top + rows, low:high] = (
        torch.hann_window(rows + 2, periodic=False)[1:-1, None]
        * torch.hann_window(high - low + 2, periodic=False)[1:-1]
    ).to(y.device)
    images = ifft2c(window * y)
    flat = images.flatten(2)
    _, vectors = torch.linalg.eigh(flat @ flat.mH)
    strongest = vectors[..., -1] * torch.polar(
        torch.ones_like(y[:, :1, 0, 0].real), -vectors[:, :1, -1].angle()
    )
    virtual = torch.einsum("bn,bnhw->bhw", strongest.conj(), images)[:, None]
    maps = images * torch.polar(torch.ones_like(virtual.real), -virtual.angle())
    return maps / maps.abs().square().sum(1, keepdim=True).sqrt().clamp(min=torch.finfo(y.real.dtype).tiny)
