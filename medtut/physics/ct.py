"""X-ray computed tomography in two dimensions: parallel and fan beams, one sparse matrix and its transpose.

Images (b, c, h, w); sinograms (b, c, views, bins). Lengths are in units of the image's longer side: a
line through a disc of value 1 and diameter d measures d. Pixel (row, column) lies at x = column - (w - 1) / 2
and y = row - (h - 1) / 2 pixels from the axis of rotation; in a parallel beam the ray of angle theta and bin
u is x cos(theta) + y sin(theta) = u.
"""

import math
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from ..errors import BadInput
from ..operators import LinearOperator, Number, Operator, require_real

DETECTOR_ERROR = 0.2  # bins by which a simulated detector is out of place and its user does not know


class Geometry(NamedTuple):
    """Where the rays run. `parallel_beam` and `fan_beam` make it; lengths in pixels, angles in degrees."""

    h: int
    w: int
    views: int
    bins: int  # as wide as a pixel, on the line through the axis of rotation
    arc: float  # the views are at start + arc * k / views
    start: float = 0.0
    distance: float = math.inf  # from the source to the axis; infinite for a parallel beam
    offset: float = 0.0  # of the detector, in bins

    def angles(self) -> np.ndarray:
        return np.deg2rad(self.start + self.arc * np.arange(self.views) / self.views)

    def project(self, x, y, angle: float) -> tuple:
        """Detector coordinate u of points (x, y) and their magnification's inverse, (D - depth) / D."""
        inverse = 1 - (x * math.sin(angle) - y * math.cos(angle)) / self.distance
        return (x * math.cos(angle) + y * math.sin(angle)) / inverse, inverse

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of all pixel centres, each (h w,)."""
        y, x = np.mgrid[: self.h, : self.w].reshape(2, -1).astype(float)
        return x - (self.w - 1) / 2, y - (self.h - 1) / 2


def _ramp(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Integral up to x of a function that rises from 0 at `low` to 1 at `high`."""
    width = high - low
    part = np.clip(x - low, 0, width)
    return part**2 / (2 * np.maximum(width, 1e-12)) + np.maximum(x - high, 0)


def _view(g: Geometry, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """First bin (h w,) that each pixel's shadow reaches, and its share of that bin and the next, (n, h w).

    The shadow is a trapezoid between the images of the pixel's corners, as high as the ray through its middle
    is long in it [long2010footprint]: exact in a parallel beam, where it is the mean over the bin's width.
    """
    x, y = g.pixels()
    corners = np.sort([g.project(x + i, y + j, angle)[0] for i in (-0.5, 0.5) for j in (-0.5, 0.5)], axis=0)
    u = g.project(x, y, angle)[0]
    slope = angle - np.arctan(u / g.distance)
    height = 1 / np.maximum(np.abs(np.cos(slope)), np.abs(np.sin(slope)))
    edge = g.offset - g.bins / 2
    first = np.floor(corners[0] - edge).astype(int)
    reach = int(np.ceil((corners[3] - corners[0]).max())) + 1
    edges = edge + first + np.arange(reach + 1)[:, None]
    total = _ramp(edges, corners[0], corners[1]) - _ramp(edges, corners[2], corners[3])
    return first, height * np.diff(total, axis=0) / max(g.h, g.w)


@lru_cache(maxsize=4)
def _system(g: Geometry, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """The matrix (views bins, h w) and its transpose, compressed by rows."""
    rows, columns, entries = [], [], []
    for k, angle in enumerate(g.angles()):
        first, share = _view(g, angle)
        bins = first + np.arange(len(share))[:, None]
        inside = (bins >= 0) & (bins < g.bins) & (share > 1e-12)
        rows.append(k * g.bins + bins[inside])
        columns.append(np.broadcast_to(np.arange(g.h * g.w), bins.shape)[inside])
        entries.append(share[inside])
    place = (np.concatenate(rows), np.concatenate(columns))
    matrix = scipy.sparse.csr_matrix((np.concatenate(entries), place), (g.views * g.bins, g.h * g.w))

    def to_torch(m) -> Tensor:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
            indices = (torch.from_numpy(i.astype(np.int32)) for i in (m.indptr, m.indices))
            csr = torch.sparse_csr_tensor(*indices, torch.from_numpy(m.data), m.shape, check_invariants=True)
            return csr.to(device, dtype)

    return to_torch(matrix), to_torch(matrix.T.tocsr())


class _Product(torch.autograd.Function):
    """matrix @ x, whose gradient is transpose @ g: torch would transpose anew at every step."""

    @staticmethod
    def forward(ctx, x: Tensor, matrix: Tensor, transpose: Tensor) -> Tensor:
        ctx.pair = transpose, matrix
        return matrix @ x

    @staticmethod
    def backward(ctx, g: Tensor) -> tuple:
        return _Product.apply(g, *ctx.pair), None, None


@dataclass(frozen=True, eq=False)
class CT(LinearOperator):
    """y = line integrals of x, averaged over the width of each bin; see the head of this module for units.

    geometry: from `parallel_beam` or `fan_beam`. mask: None, or (views, bins) or (b, 1, views, bins) of 0 and
    1, the rays that are measured. The adjoint is the transpose of the same matrix.
    """

    geometry: Geometry
    mask: Tensor | None = None

    def __post_init__(self):
        shape = (self.geometry.views, self.geometry.bins)
        if self.mask is not None and (
            self.mask.shape[-2:] != shape or not ((self.mask == 0) | (self.mask == 1)).all()
        ):
            raise BadInput(
                f"got a mask of shape {tuple(self.mask.shape)}, need 0 and 1 for {shape} views and bins; "
                "use metal_trace(A, metal)."
            )

    def __call__(self, x: Tensor) -> Tensor:
        g = self.geometry
        require_real(x, 4)
        if x.shape[-2:] != (g.h, g.w):
            raise BadInput(
                f"got an image of {tuple(x.shape[-2:])} pixels, need {(g.h, g.w)} as the geometry has; use "
                "a geometry made for that size."
            )
        return self.restrict(self._multiply(x, False).unflatten(-1, (g.views, g.bins)))

    def adjoint(self, y: Tensor) -> Tensor:
        return self._multiply(self.restrict(y), True).unflatten(-1, (self.geometry.h, self.geometry.w))

    def _multiply(self, v: Tensor, back: bool) -> Tensor:
        pair = _system(self.geometry, v.dtype, v.device)
        flat = v.flatten(2)
        out = _Product.apply(flat.flatten(0, 1).mT, *(reversed(pair) if back else pair))
        return out.mT.unflatten(0, flat.shape[:2])

    def restrict(self, y: Tensor) -> Tensor:
        return y if self.mask is None else self.mask.to(y) * y

    def repeat(self, n: int) -> "CT":
        if self.mask is None or self.mask.ndim == 2 or len(self.mask) == 1:
            return self
        return replace(self, mask=self.mask.repeat_interleave(n, 0))

    def scanner(self, generator=None) -> "CT":
        """The same scan, its detector out of place by `DETECTOR_ERROR` bins, whatever the generator."""
        return replace(self, geometry=self.geometry._replace(offset=self.geometry.offset + DETECTOR_ERROR))


@dataclass(frozen=True, eq=False)
class BeamHardening(Operator):
    """y = -log(sum_e weight_e exp(-depth ratio_e A x)) / depth: a spectrum of X-rays, taken for one energy.

    ratios: attenuation at each energy over that at the mean one; weights: share of each. Both (e,), with
    sum(weights) = 1 and sum(weights * ratios) = 1, so that thin objects measure A x. depth: the attenuation,
    in nepers, of value 1 across the whole side. One material only. For `simulate(..., A_recon=A)`.
    """

    A: CT
    ratios: Tensor
    weights: Tensor
    depth: Number

    def __post_init__(self):
        sums = float(self.weights.sum()), float((self.weights * self.ratios).sum())
        if max(abs(s - 1) for s in sums) > 1e-5:
            raise BadInput(
                f"got weights that sum to {sums[0]:.3f} and a mean ratio of {sums[1]:.3f}, need 1 for both; "
                "use weights / weights.sum() and then ratios / (weights * ratios).sum()."
            )

    def __call__(self, x: Tensor) -> Tensor:
        path = self.depth * self.A(x)[..., None] * self.ratios.to(x)
        return self.restrict(-torch.logsumexp(self.weights.to(x).log() - path, -1) / self.depth)

    def restrict(self, y: Tensor) -> Tensor:
        return self.A.restrict(y)

    def repeat(self, n: int) -> "BeamHardening":
        return replace(self, A=self.A.repeat(n))


def parallel_beam(h: int, w: int, views: int, arc: Number = 180.0, start: Number = 0.0) -> Geometry:
    """`views` parallel projections over `arc` degrees from `start`; the detector covers the diagonal."""
    bins = math.ceil(math.hypot(h, w))
    return _checked(Geometry(h, w, views, bins + (bins - w) % 2, float(arc), float(start)))


def fan_beam(
    h: int, w: int, views: int, arc: Number = 360.0, start: Number = 0.0, distance: Number = 2.0
) -> Geometry:
    """A fan onto a flat detector; `distance` from source to axis in image sides; the corners are covered."""
    d, radius = distance * max(h, w), math.hypot(h, w) / 2
    if not d > radius:
        raise BadInput(
            f"got a source at {distance} sides from the axis, need it outside the image; use 2 or more."
        )
    bins = math.ceil(2 * radius / math.sqrt(1 - (radius / d) ** 2))
    return _checked(Geometry(h, w, views, bins + (bins - w) % 2, float(arc), float(start), float(d)))


def _checked(g: Geometry) -> Geometry:
    if min(g.h, g.w, g.views) < 1 or not 0 < g.arc <= 360:
        raise BadInput(
            f"got {g.views} views over {g.arc} degrees of an image of {g.h} x {g.w} pixels, need at least "
            "one of each and an arc of at most 360 degrees; use parallel_beam(128, 128, 60)."
        )
    return g


def metal_trace(A: CT, metal: Tensor) -> CT:
    """The scan without the rays that meet metal. metal: (h, w), 1 where it is."""
    trace = replace(A, mask=None)(metal.to(torch.float32)[None, None])
    return replace(A, mask=A.restrict((trace <= 0).float())[0, 0])


def fbp(A: CT, y: Tensor, hann: bool = False) -> Tensor:
    """Filtered back-projection, (b, c, h, w), with the ramp filter of [kak2001ct, chap. 3]; hann softens it.

    Rays that are not measured count as 0. A parallel beam of less than 180 degrees is summed as it is. Raises
    BadInput for a fan that does not go all the way round, whose rays would need weights.
    """
    g = A.geometry
    if g.distance < math.inf and g.arc != 360:
        raise BadInput(
            f"got a fan beam over {g.arc} degrees, need 360 for filtered back-projection; use cg_sense or "
            "total_variation."
        )
    n = torch.arange(-g.bins, g.bins)
    kernel = torch.where(n % 2 == 1, -1 / (torch.pi * n.double()) ** 2, 0.0)
    kernel[g.bins] = 0.25
    response = torch.fft.rfft(torch.fft.ifftshift(kernel)).real
    if hann:
        response = response * torch.cos(torch.linspace(0, torch.pi / 2, g.bins + 1).double()) ** 2
    u = torch.arange(g.bins, device=y.device).to(y) + g.offset - (g.bins - 1) / 2
    weighted = A.restrict(y) / (1 + (u / g.distance) ** 2).sqrt()
    filtered = torch.fft.irfft(response.to(y) * torch.fft.rfft(weighted, 2 * g.bins), 2 * g.bins)
    x, rows = torch.zeros(1, device=y.device).to(y), torch.nn.functional.pad(filtered[..., : g.bins], (1, 2))
    for k, angle in enumerate(g.angles()):
        place, inverse = (torch.as_tensor(t).to(y) for t in g.project(*g.pixels(), angle))
        place = (place - u[0] + 1).clamp(0, g.bins + 1)
        low = place.long()
        row, part = rows[..., k, :], place - low
        x = x + ((1 - part) * row[..., low] + part * row[..., low + 1]) / inverse**2
    step = math.radians(g.arc) / g.views * min(1, 180 / g.arc) * max(g.h, g.w)
    return step * x.unflatten(-1, (g.h, g.w))
