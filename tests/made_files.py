"""Small medical files that the tests write themselves."""

from itertools import permutations, product
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pydicom
from nilearn import datasets
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

PATIENT = "Nightingale^Florence"
ORIENTATIONS = [
    np.stack([axes, signs], 1) for axes in permutations(range(3)) for signs in product((1, -1), repeat=3)
]


def template(resolution: int = 2) -> nibabel.Nifti1Image:
    """The T1 template inside nilearn, in whole numbers up to 1000."""
    image = datasets.load_mni152_template(resolution=resolution)
    return nibabel.Nifti1Image(np.round(1000 * image.get_fdata()).astype(np.int16), image.affine)


def turned(image: nibabel.Nifti1Image, orientation: np.ndarray) -> nibabel.Nifti1Image:
    """The same volume in space, its axes stored in another order and direction."""
    return image.as_reoriented(orientation)


def save(image: nibabel.Nifti1Image, path: Path) -> Path:
    nibabel.save(image, path)
    return path


def blob(shape: tuple = (20, 24, 18)) -> np.ndarray:
    """An asymmetric volume: an ellipsoid with a ramp along every axis, air around it."""
    u = np.stack(np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij"))
    inside = (u**2).sum(0) < 0.8
    return (inside * (300 + 100 * u[0] + 50 * u[1] + 25 * u[2])).round().astype(np.int16)


def dicom_slice(pixels: np.ndarray, position, turn, spacing, series: str, slope=1.0, intercept=0.0):
    """One MR slice with a patient in its header. pixels (row, column) of whole numbers."""
    d = pydicom.Dataset()
    d.file_meta = pydicom.dataset.FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = MRImageStorage
    d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID = generate_uid()
    d.PatientName, d.PatientID, d.PatientBirthDate = PATIENT, "12051820", "18200512"
    d.Modality, d.SeriesInstanceUID = "MR", series
    d.Rows, d.Columns = pixels.shape
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, "MONOCHROME2"
    d.BitsAllocated = d.BitsStored = 16
    d.HighBit, d.PixelRepresentation = 15, 1
    d.PixelSpacing, d.SliceThickness = list(spacing[:2]), spacing[2]
    d.ImagePositionPatient = [round(float(v), 6) for v in position]
    d.ImageOrientationPatient = [float(v) for v in turn]
    d.RescaleSlope, d.RescaleIntercept = slope, intercept
    d.PixelData = pixels.astype("<i2").tobytes()
    return d


def dicom_series(folder: Path, volume: np.ndarray, affine: np.ndarray, **scale) -> Path:
    """Axial slices of `volume` (x, y, z) in RAS; the axes of `affine` are orthogonal; names are shuffled."""
    folder.mkdir()
    lps = np.diag([-1, -1, 1, 1]) @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    turn = np.concatenate([lps[:3, 0] / spacing[0], lps[:3, 1] / spacing[1]])
    series = generate_uid()
    names = np.random.default_rng(0).permutation(volume.shape[2])
    for k, name in enumerate(names):
        d = dicom_slice(
            volume[:, :, k].T, lps[:3, 3] + k * lps[:3, 2], turn, spacing[[1, 0, 2]], series, **scale
        )
        d.save_as(folder / f"{name:03d}.dcm", enforce_file_format=True)
    return folder


HEADER = """<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding><encodedSpace>
<matrixSize><x>{0}</x><y>{1}</y><z>1</z></matrixSize>
<fieldOfView_mm><x>{2}</x><y>{3}</y><z>5</z></fieldOfView_mm></encodedSpace></encoding></ismrmrdHeader>"""


def fastmri(path: Path, kspace: np.ndarray, field=(440.0, 220.0), mask=None, **datasets_) -> Path:
    """An HDF5 file as fastMRI lays it out. kspace (slice, coil, row, column)."""
    with h5py.File(path, "w") as file:
        file["kspace"] = kspace
        file["ismrmrd_header"] = HEADER.format(*kspace.shape[-2:], *field)
        if mask is not None:
            file["mask"] = mask
        for name, value in datasets_.items():
            file[name] = value
    return path
