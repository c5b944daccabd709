"""What a file holds once it is read: pixels, geometry, and what had to be assumed."""

from dataclasses import dataclass, replace
from pathlib import Path

import nibabel
import numpy as np

from ..errors import BadInput


@dataclass(frozen=True)
class ImageFile:
    """What was read.

    array: float32 or complex64; an image `(x, y, z)`, a slice of it `(x, y)`, or k-space
    `(slice, coil, row, column)`. affine: (4, 4), from array index to millimetres in RAS; for k-space, whose
    orientation is unknown, the spacing on the diagonal. spacing: millimetres, of an image `(x, y, z)`, of
    k-space `(row, column, slice)`. kind: "magnitude", "complex" or "kspace". source: the file format.
    mask: columns measured, for k-space that was undersampled at the scanner. notes: what had to be assumed.
    measured: False if the file states no spacing.
    """

    array: np.ndarray
    affine: np.ndarray
    spacing: tuple[float, float, float]
    kind: str
    source: str
    mask: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    measured: bool = True


def check_finite(array: np.ndarray, path: Path) -> None:
    """Refuse empty arrays, NaN and infinity."""
    if array.size == 0:
        raise BadInput(f"{path} holds no pixels (shape {array.shape}); give a file that holds an image.")
    bad = int(array.size - np.isfinite(array).sum())
    if bad:
        raise BadInput(
            f"{path} holds {bad} values that are NaN or infinite; replace them, "
            "for instance with numpy.nan_to_num, and save the file again."
        )


def take_slice(image: ImageFile, index: int) -> ImageFile:
    """One axial slice `(x, y)` with the affine that places it, or one slice of k-space, its axis kept."""
    axis = 0 if image.kind == "kspace" else 2
    count = image.array.shape[axis]
    if not 0 <= index < count:
        raise BadInput(f"got slice {index}, but the file has slices 0 to {count - 1}; choose one of these.")
    if image.kind == "kspace":
        return replace(image, array=image.array[index : index + 1])
    affine = image.affine.copy()
    affine[:, 3] += index * affine[:, 2]
    return replace(image, array=image.array[:, :, index], affine=affine)


def canonical(
    array: np.ndarray,
    affine: np.ndarray,
    source: str,
    path: Path,
    notes: tuple[str, ...] = (),
    measured: bool = True,
) -> ImageFile:
    """Reorder and flip a volume so that its axes point right, forwards and up; the affine goes with it."""
    affine = np.asarray(affine, dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise BadInput(
            f"{path} has a geometry without volume (a zero or missing voxel size); "
            "repair its header, or give the pixels as .npy."
        )
    dtype = np.complex64 if np.iscomplexobj(array) else np.float32
    oriented = nibabel.as_closest_canonical(nibabel.Nifti1Image(array.astype(dtype), affine))
    spacing = tuple(float(s) for s in nibabel.affines.voxel_sizes(oriented.affine))
    pixels = np.ascontiguousarray(np.asanyarray(oriented.dataobj))
    kind = "complex" if dtype is np.complex64 else "magnitude"
    return ImageFile(pixels, oriented.affine, spacing, kind, source, None, notes, measured)


def from_rows(slices: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> tuple:
    """Slices `(z, row, column)` as radiologists see them to `(x, y, z)` and its affine.

    The front of the head is on top and the patient's right on the left. spacing: row, column, slice.
    """
    volume = slices[:, ::-1, ::-1].transpose(2, 1, 0)
    return volume, np.diag([spacing[1], spacing[0], spacing[2], 1.0])
