"""From a file to an inverse problem: simulated from its image, or the file's own k-space."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..data.geometry import Plane, plane, robust_max, to_grid
from ..data.image import ImageFile, take_slice
from ..errors import BadInput
from ..noise import generators
from ..operators import InverseProblem, simulate, to_real
from ..physics.mri import (
    MRI,
    cartesian_mask,
    centre_lines,
    coil_maps,
    effective_acceleration,
    estimate_coils,
    ifft2c,
    smooth_phase,
)
from ..posterior import zero_filled

SIZE = 128  # the grid of the prior brain-128-complex
SIMULATED = (
    "The scan is simulated from a processed magnitude image with a synthetic phase: its score is optimistic."
)
RETROSPECTIVE = "The scan is the file's full k-space with lines left out: its score is against all lines."
MEASURED = "The scan was undersampled at the scanner: there is no reference, so there is no score."


@dataclass(frozen=True)
class Scan:
    """A problem in units where the image's robust maximum is about 1.

    truth: (1, 1, h, w) magnitude, or None. grid: affine and spacing of the output. unit: the file's units
    per 1. statement: what the scan is, in one sentence. facts: what the JSON says of it.
    """

    problem: InverseProblem
    truth: Tensor | None
    grid: Plane
    unit: float
    statement: str
    facts: dict


def make_scan(image: ImageFile, args) -> Scan:
    """The problem that `args` (acceleration, centre, coils, noise, slice, seed) asks for."""
    if image.kind == "kspace":
        return measured_scan(image, args)
    if image.kind == "complex":
        raise BadInput(
            "got a complex image, but a real magnitude image is needed; save numpy.abs(image), or give its "
            "k-space as HDF5."
        )
    return simulated_scan(image, args)


def mask_of(args) -> Tensor:
    """The columns that are measured, (h, w)."""
    lines = torch.Generator().manual_seed(args.seed)
    return cartesian_mask(SIZE, SIZE, args.acceleration, args.centre, generator=lines)


def facts_of(mask: Tensor, coils: int, noise: float) -> dict:
    """What any scan says of itself."""
    return {
        "lines_measured": int(mask[0].sum()),
        "lines": mask.shape[1],
        "acceleration": round(effective_acceleration(mask), 3),
        "coils": coils,
        "noise_std": noise,
        "pixels": list(mask.shape),
    }


def simulated_scan(image: ImageFile, args) -> Scan:
    """The slice as truth, robust maximum 1, with a synthetic phase; the true coils stay unknown."""
    source = plane(image, args.slice)
    top = robust_max(source.pixels)
    below = float(source.pixels.min())
    if below < -0.05 * top:
        raise BadInput(
            f"got values down to {below:g} (a CT in Hounsfield units?), but a magnitude image has none below "
            "0; give an MR image."
        )
    if top <= 0:
        raise BadInput(f"slice {source.index} holds nothing brighter than 0; choose another with --slice.")
    grid = to_grid(source, SIZE, image.measured)
    unit = robust_max(grid.pixels)
    truth = torch.from_numpy(grid.pixels / np.float32(unit)).clamp(min=0)[None, None]
    noise = 0.01 if args.noise is None else args.noise
    mask, generator = mask_of(args), generators(args.seed, 1)
    phase = smooth_phase((1, SIZE, SIZE), generator)
    x = to_real(torch.polar(truth[:, 0], phase))
    coils = coil_maps(args.coils, SIZE, SIZE, torch.Generator().manual_seed(args.seed + 1))
    problem = simulate(MRI(mask, coils), x, noise, generator)
    if args.coils > 1:
        problem = InverseProblem(MRI(mask, estimate_coils(problem.y, mask)), problem.y, noise)
    facts = {
        "simulated": True,
        **facts_of(mask, args.coils, noise),
        "coil_maps": "estimated from the centre lines" if args.coils > 1 else "one coil",
        "phase": "synthetic, smooth, not told to the method",
        "slice": source.index,
        "pixel_mm": round(grid.spacing[0], 4),
        "pixel_mm_of_file": [round(s, 4) for s in source.spacing],
        "clipped_below_zero": int((source.pixels < 0).sum()),
    }
    return Scan(problem, truth, grid, unit, SIMULATED, facts)


def noise_level(kspace: Tensor) -> float:
    """Standard deviation per real component, from the median magnitude in the corners of k-space.

    The magnitude of complex noise is Rayleigh distributed, with median std * sqrt(2 ln 2). kspace: (n, h, w).
    """
    h, w = kspace.shape[-2:]
    far = [torch.arange(n).sub(n // 2).abs() > 0.45 * n for n in (h, w)]
    corner = kspace[:, far[0]][:, :, far[1]].abs()
    corner = corner[corner > 0]  # scanners fill what they did not measure with zeros
    return float(corner.median()) / math.sqrt(2 * math.log(2)) if len(corner) else 0.0


def fit_kspace(kspace: Tensor, spacing: tuple[float, float, float]) -> tuple[Tensor, float]:
    """K-space (n, h, w) of the image on SIZE x SIZE square pixels, and their size in millimetres.

    Columns are phase encoding: the field of view stays and the resolution is cut. Rows are read out: the
    field is cut in the image first, which also removes the readout's oversampling.
    """
    h, w = kspace.shape[-2:]
    pixel = w * spacing[1] / SIZE
    rows = round(SIZE * pixel / spacing[0])
    if rows < SIZE or w < SIZE // 2:
        raise BadInput(
            f"got k-space of {h} x {w}, too coarse for the {SIZE} x {SIZE} grid of the prior; "
            f"give at least {SIZE} rows over the field of view of the columns, and {SIZE // 2} columns."
        )
    hybrid = torch.fft.fftshift(
        torch.fft.ifft(torch.fft.ifftshift(kspace, dim=-2), dim=-2, norm="ortho"), dim=-2
    )
    hybrid = centre(hybrid, -2, rows)
    kspace = torch.fft.fftshift(
        torch.fft.fft(torch.fft.ifftshift(hybrid, dim=-2), dim=-2, norm="ortho"), dim=-2
    )
    return centre(centre(kspace, -2, SIZE), -1, SIZE), pixel


def centre(x: Tensor, dim: int, size: int) -> Tensor:
    """Crop or zero-pad one axis about its middle entry n // 2."""
    n = x.shape[dim]
    if n >= size:
        return x.narrow(dim, n // 2 - size // 2, size)
    shape = list(x.shape)
    shape[dim] = size
    out = x.new_zeros(shape)
    out.narrow(dim, size // 2 - n // 2, n).copy_(x)
    return out


def measured_scan(image: ImageFile, args) -> Scan:
    """The file's k-space on the prior's grid; coil maps, phase and noise level come from the data alone."""
    index = image.array.shape[0] // 2 if args.slice is None else args.slice
    full = torch.from_numpy(take_slice(image, index).array[0])
    y, pixel = fit_kspace(full, image.spacing)
    y = y[None]
    present = (y.abs().amax((0, 1, 2)) > 0).float()  # columns that hold anything
    if image.mask is not None:
        mask = centre(torch.from_numpy(image.mask).float(), 0, SIZE) * present
        mask = mask.expand(SIZE, SIZE).clone()
    else:
        mask = mask_of(args) * present
    if not mask.any():
        raise BadInput(f"slice {index} holds no measured line; choose another with --slice.")
    low, high = centre_lines(mask)
    coils = estimate_coils(mask * y, mask)
    window = torch.zeros(SIZE)
    window[low:high] = torch.hann_window(high - low + 2, periodic=False)[1:-1]
    coarse = (coils.conj() * ifft2c(window * y)).sum(1, keepdim=True)
    coils = coils * torch.polar(torch.ones_like(coarse.real), coarse.angle())
    unit = robust_max(
        zero_filled(InverseProblem(MRI(mask, coils), mask * y, 0.0)).square().sum(1).sqrt()[0].numpy()
    )
    estimated = noise_level(full) / unit
    noise = estimated if args.noise is None else args.noise
    if noise <= 0:
        raise BadInput("the corners of k-space hold no noise to estimate its level from; give --noise.")
    problem = InverseProblem(MRI(mask, coils), mask * y / unit, noise)
    truth = None if image.mask is not None else ifft2c(y / unit).abs().square().sum(1, keepdim=True).sqrt()
    affine = np.diag([pixel, pixel, image.spacing[2], 1.0])
    grid = Plane(np.zeros((SIZE, SIZE), np.float32), affine, (pixel, pixel), index)
    facts = {
        "simulated": False,
        **facts_of(mask, len(y[0]), noise),
        "noise_from": "the corners of k-space" if args.noise is None else "--noise",
        "coil_maps": "estimated from the centre lines",
        "phase": "estimated from the centre lines and moved into the coil maps",
        "slice": index,
        "pixel_mm": round(pixel, 4),
        "pixel_mm_of_file": [round(s, 4) for s in image.spacing[:2]],
    }
    return Scan(problem, truth, grid, unit, MEASURED if truth is None else RETROSPECTIVE, facts)
