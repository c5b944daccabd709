"""fastMRI-style HDF5: k-space `(slice, coil, row, column)`, or a finished reconstruction."""

import re
from pathlib import Path

import h5py
import numpy as np

from ..errors import BadInput
from .image import ImageFile, canonical, check_finite, from_rows

IMAGES = ("reconstruction_rss", "reconstruction_esc")


def read_hdf5(path: Path) -> ImageFile:
    """K-space if the file has any, otherwise its reconstruction; spacing from its header."""
    try:
        with h5py.File(path, "r") as file:
            found = {
                k: file[k][()] for k in ("kspace", "mask", *IMAGES) if isinstance(file.get(k), h5py.Dataset)
            }
            header = file["ismrmrd_header"][()] if "ismrmrd_header" in file else b""
            names = sorted(file.keys())
    except (OSError, KeyError, RuntimeError, ValueError) as cause:
        raise BadInput(f"{path} is not a whole HDF5 file (truncated?); copy or download it again.") from cause
    spacing, notes, measured = header_geometry(header)
    if "kspace" in found:
        return read_kspace(found["kspace"], found.get("mask"), header_geometry(header), path)
    image = next((found[k] for k in IMAGES if k in found), None)
    if image is None:
        raise BadInput(
            f"{path} has datasets {', '.join(names) or 'none'}, but kspace or reconstruction_rss "
            "is needed; give a file laid out as fastMRI's."
        )
    if image.ndim != 3 or image.dtype.kind not in "iuf":
        raise BadInput(
            f"{path} has a reconstruction of shape {image.shape}, {image.dtype}; "
            "a real one (slice, row, column) is needed."
        )
    volume, affine = from_rows(image, spacing)
    return canonical(volume, affine, "hdf5", path, notes, measured)


def read_kspace(kspace: np.ndarray, mask: np.ndarray | None, geometry: tuple, path: Path) -> ImageFile:
    """Check the shapes; a single coil gets its axis. `mask` becomes one boolean per column."""
    if kspace.dtype.kind != "c":
        raise BadInput(
            f"{path} has real k-space ({kspace.dtype}), but it is complex by nature; "
            "save real and imaginary part as one complex array."
        )
    if kspace.ndim == 3:
        kspace = kspace[:, None]
    if kspace.ndim != 4:
        raise BadInput(
            f"{path} has k-space of shape {kspace.shape}, but (slice, coil, row, column) is needed."
        )
    check_finite(kspace, path)
    if mask is not None:
        mask = np.asarray(mask).reshape(-1).astype(bool)
        if len(mask) != kspace.shape[-1]:
            raise BadInput(
                f"{path} has a mask of {len(mask)} columns for k-space of {kspace.shape[-1]}; "
                "they must be equal."
            )
    spacing, notes, measured = geometry
    affine = np.diag([spacing[1], spacing[0], spacing[2], 1.0])
    return ImageFile(kspace.astype(np.complex64), affine, spacing, "kspace", "hdf5", mask, notes, measured)


def header_geometry(header: bytes | str) -> tuple[tuple[float, float, float], tuple[str, ...], bool]:
    """Spacing of rows, columns and slices of the encoded grid; what was assumed; whether it was stated."""
    text = header.decode("utf-8", "replace") if isinstance(header, bytes) else str(header)
    space = re.search(r"<encodedSpace>(.*?)</encodedSpace>", text, re.DOTALL)
    number = r"<{0}>.*?<x>([\d.]+)</x>\s*<y>([\d.]+)</y>\s*<z>([\d.]+)</z>"
    sizes = [
        re.search(number.format(k), space.group(1), re.DOTALL) if space else None
        for k in ("matrixSize", "fieldOfView_mm")
    ]
    if not all(sizes):
        return (1.0, 1.0, 1.0), ("the file states no field of view; pixels of 1 mm are assumed",), False
    matrix, view = ([float(v) for v in s.groups()] for s in sizes)
    note = "the file states no orientation; rows and columns are taken as stored"
    return tuple(v / m for v, m in zip(view, matrix, strict=True)), (note,), True
