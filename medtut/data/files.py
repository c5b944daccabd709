"""Real files: NIfTI, DICOM, .npy and fastMRI-style HDF5, read into one small record.

Images come back in canonical RAS order, `array[x, y, z]`: x grows to the patient's right, y to the front,
z upwards. K-space comes back as stored, `array[slice, coil, row, column]`. Nothing of a file is kept but its
pixels and its geometry.
"""

import zlib
from pathlib import Path

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from ..errors import BadInput
from .dicom import is_dicom, read_dicom
from .image import ImageFile, canonical, check_finite, from_rows, take_slice
from .kspace import read_hdf5

UNREADABLE = (ImageFileError, HeaderDataError, WrapStructError, EOFError, OSError, ValueError, zlib.error)
KINDS = "NIfTI (.nii, .nii.gz), DICOM (a file or a folder), .npy or fastMRI-style HDF5 (.h5)"


def read_image(path: str | Path, slice: int | None = None, volume: int | None = None) -> ImageFile:
    """Read an image or k-space; `slice` picks one axial slice, `volume` one volume of a 4-D NIfTI.

    Raises BadInput, one sentence, for anything that is not a finite image with a usable geometry.
    """
    path = Path(path)
    name = path.name.lower()
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a file that is {KINDS}.")
    if path.is_file() and path.stat().st_size == 0:
        raise BadInput(f"{path} is empty; give a file that is {KINDS}.")
    if name.endswith((".nii", ".nii.gz")):
        image = read_nifti(path, volume)
    elif name.endswith(".npy"):
        image = read_npy(path)
    elif name.endswith((".h5", ".hdf5")):
        image = read_hdf5(path)
    elif path.is_dir() or is_dicom(path):
        image = read_dicom(path)
    else:
        raise BadInput(f"{path} is of no kind that can be read; give {KINDS}.")
    if volume is not None and image.source != "nifti":
        raise BadInput(f"{path} has no series of volumes; leave volume={volume} out.")
    check_finite(image.array, path)
    return image if slice is None else take_slice(image, slice)


def read_nifti(path: Path, volume: int | None = None) -> ImageFile:
    """A 3-D NIfTI, or one volume of a 4-D one, in canonical orientation."""
    try:
        stored = nibabel.load(path)
        shape, affine = stored.shape, stored.affine
        complex_valued = np.issubdtype(stored.get_data_dtype(), np.complexfloating)
        pixels = np.asanyarray(stored.dataobj)
    except UNREADABLE as cause:
        raise BadInput(
            f"{path} is not a whole NIfTI file (truncated?); copy or download it again."
        ) from cause
    if pixels.dtype.names or pixels.dtype.kind not in "iufcb":
        raise BadInput(f"{path} holds colours, not intensities; give an image with one number per voxel.")
    if len(shape) == 2:
        pixels = pixels[..., None]
    while pixels.ndim > 3 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 4:
        if volume is None or not 0 <= volume < pixels.shape[3]:
            raise BadInput(
                f"{path} holds {pixels.shape[3]} volumes and one is needed; choose it with "
                f"volume=0 to {pixels.shape[3] - 1} (--volume on the command line)."
            )
        pixels = pixels[..., volume]
    elif volume is not None and pixels.ndim == 3:
        raise BadInput(f"{path} holds one volume; leave volume={volume} out.")
    if pixels.ndim != 3:
        raise BadInput(f"{path} has shape {shape}; a volume (x, y, z) or a series (x, y, z, t) is needed.")
    pixels = pixels.astype(np.complex64 if complex_valued else np.float32)
    unset = not (int(stored.header.get("qform_code", 1)) or int(stored.header.get("sform_code", 1)))
    notes = ("the header states no orientation; the axes are taken as stored",) if unset else ()
    return canonical(pixels, affine, "nifti", path, notes)


def read_npy(path: Path) -> ImageFile:
    """An array `(row, column)` or `(slice, row, column)` as radiologists see it; 1 mm pixels are assumed."""
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as cause:
        raise BadInput(f"{path} is not a whole .npy file of numbers; save it again.") from cause
    if array.dtype.kind not in "iufcb":
        raise BadInput(f"{path} holds {array.dtype}, but numbers are needed; save a real or complex array.")
    if array.ndim not in (2, 3):
        raise BadInput(f"{path} has shape {array.shape}; save (row, column) or (slice, row, column).")
    volume, affine = from_rows(array if array.ndim == 3 else array[None])
    note = (
        "a .npy file states no geometry: pixels of 1 mm, the front on top and the patient's right on the left"
    )
    return canonical(volume, affine, "npy", path, (note,), measured=False)
