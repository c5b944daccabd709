"""From a slice of a real volume to the square grid that a prior was trained on, and back to a file."""

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from ..errors import BadInput
from .image import ImageFile
from .template import FIELD_MM

COHORT_FIELD_MM = 1.05 * FIELD_MM  # the mean field of view of the cohort's slices, see anatomy.warp
AIR = 0.1  # of the robust maximum: darker pixels do not count as part of the object


@dataclass(frozen=True)
class Plane:
    """One slice on the screen: pixels (row, column), front on top and the patient's right on the left.

    affine: (4, 4) of the slice as a volume `(u, v, 1)` whose u and v are column and row counted backwards.
    spacing: row, column, millimetres.
    """

    pixels: np.ndarray
    affine: np.ndarray
    spacing: tuple[float, float]
    index: int


def robust_max(pixels: np.ndarray) -> float:
    """The 99.5th percentile of what is not air: a maximum that a few bright vessels do not decide."""
    top = float(pixels.max())
    inside = pixels[pixels > AIR * top]
    return float(np.percentile(inside, 99.5)) if top > 0 and inside.size else 0.0


def plane(image: ImageFile, index: int | None = None) -> Plane:
    """The axial slice `index`; by default the one with most signal. A file of one slice gives that slice."""
    thin = [a for a in range(3) if image.array.shape[a] == 1]
    through = thin[0] if len(thin) == 1 else 2
    u, v = (a for a in range(3) if a != through)
    volume = np.moveaxis(image.array, through, 2)
    count = volume.shape[2]
    if index is not None and not 0 <= index < count:
        raise BadInput(f"got slice {index}, but the file has slices 0 to {count - 1}; choose one of these.")
    if min(volume.shape[:2]) < 16:
        raise BadInput(
            f"got slices of {volume.shape[0]} x {volume.shape[1]} pixels; 16 x 16 or more are needed."
        )
    if index is None:
        index = int((volume > AIR * robust_max(volume)).sum((0, 1)).argmax())
    affine = image.affine[:, [u, v, through, 3]].copy()
    affine[:, 3] += index * affine[:, 2]
    pixels = volume[::-1, ::-1, index].T
    return Plane(pixels, affine, (image.spacing[v], image.spacing[u]), index)


def weights(n: int, size: int, ratio: float, centre: float) -> np.ndarray:
    """Linear interpolation with a tent as wide as the coarser grid, (size, n); outside the image is air.

    Output i lies at input `centre + (i - (size - 1) / 2) * ratio`. A wide tent averages, so nothing aliases.
    """
    width = max(1.0, ratio)
    at = centre + (np.arange(size) - (size - 1) / 2) * ratio
    reach = int(np.ceil(np.abs(at).max() + width)) + n
    k = np.arange(-reach, reach + 1)
    tent = np.clip(1 - np.abs(k - at[:, None]) / width, 0, None)
    tent /= tent.sum(1, keepdims=True)
    return tent[:, reach : reach + n]


def box(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last row and column that hold more than air."""
    inside = np.argwhere(pixels > AIR * robust_max(pixels))
    return inside.min(0), inside.max(0)


def to_grid(source: Plane, size: int, measured: bool = True) -> Plane:
    """Resample onto `size` x `size` square pixels around the middle of the object.

    Pixels are the cohort's (1.9 mm at 128) if the object is as large as a head; otherwise they are chosen
    so that it fills 80 % of the grid. A file that states no spacing is fitted as a whole instead.
    """
    spacing = np.array(source.spacing)
    low, high = box(source.pixels)
    extent = float(((high - low + 1) * spacing).max())
    centre = (low + high) / 2
    pixel = COHORT_FIELD_MM / size
    if not measured:
        centre = (np.array(source.pixels.shape) - 1) / 2
        pixel = float((np.array(source.pixels.shape) * spacing).max()) / size
    elif not 0.5 < extent / COHORT_FIELD_MM < 0.94:
        pixel = extent / (0.8 * size)
    ratio = pixel / spacing
    rows, columns = (
        weights(n, size, r, c) for n, r, c in zip(source.pixels.shape, ratio, centre, strict=True)
    )
    flipped = np.array(source.pixels.shape[::-1]) - 1 - centre[::-1]  # the middle in (u, v)
    affine = source.affine.copy()
    affine[:, :2] *= ratio[::-1]
    affine[:, 3] += source.affine[:, :2] @ flipped - affine[:, :2] @ np.full(2, (size - 1) / 2)
    pixels = (rows @ source.pixels.astype(np.float64) @ columns.T).astype(np.float32)
    return Plane(pixels, affine, (pixel, pixel), source.index)


def write_nifti(path: Path, pixels: np.ndarray, affine: np.ndarray) -> None:
    """Screen pixels (row, column) as a NIfTI of one slice, in millimetres of scanner space."""
    volume = pixels.T[::-1, ::-1, None].astype(np.float32)
    image = nibabel.Nifti1Image(volume, affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
