"""DICOM files and folders. Only the tags listed here are read: no patient field ever enters the program."""

import logging
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom
from pydicom.errors import InvalidDicomError

from ..errors import BadInput
from .image import ImageFile, canonical, from_rows

GEOMETRY = [
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
]
PIXELS = [
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "NumberOfFrames",
    "PixelData",
    "FloatPixelData",
    "RescaleSlope",
    "RescaleIntercept",
]
TAGS = [*GEOMETRY, *PIXELS, "SeriesInstanceUID", "SOPClassUID"]
PALETTE = "PALETTE COLOR"
SUFFIXES = (".dcm", ".dicom", ".ima")
UNREADABLE = (InvalidDicomError, OSError, EOFError, ValueError, KeyError, AttributeError, NotImplementedError)


@contextmanager
def quiet():
    """Silence pydicom's own messages: they may quote the values of a header."""
    logger = logging.getLogger("pydicom")
    level, logger.level = logger.level, logging.CRITICAL + 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.level = level


def is_dicom(path: Path) -> bool:
    """Whether the file has DICOM's four letters behind its preamble, or is named as one."""
    with path.open("rb") as file:
        start = file.read(132)
    return start[128:] == b"DICM" or path.suffix.lower() in SUFFIXES


def read_dicom(path: Path) -> ImageFile:
    """One slice, or the volume of the one series in a folder, rescaled to physical values."""
    files = [path] if path.is_file() else [p for p in sorted(path.rglob("*")) if p.is_file() and is_dicom(p)]
    if not files:
        raise BadInput(f"{path} holds no DICOM file; give a folder with the files of one series.")
    with quiet():
        headers = [read_header(p) for p in files]
        if path.is_dir():
            headers = [h for h in headers if "PixelData" in h or "FloatPixelData" in h]
        if not headers or not ("PixelData" in headers[0] or "FloatPixelData" in headers[0]):
            raise BadInput(
                f"{path} is DICOM without pixels (a plan, a report or an index); give a series of images."
            )
        series = {h.get("SeriesInstanceUID") for h in headers}
        if len(series) > 1:
            raise BadInput(
                f"{path} holds {len(series)} DICOM series and one is needed; "
                "give a folder with the files of one series."
            )
        try:
            return volume(headers, path)
        except BadInput:
            raise
        except (*UNREADABLE, TypeError) as cause:  # their own messages may quote the header
            raise BadInput(f"{path} has a header that breaks the DICOM standard; export it again.") from cause


def read_header(path: Path) -> pydicom.Dataset:
    """The listed tags of one file."""
    try:
        header = pydicom.dcmread(path, specific_tags=TAGS, force=path.suffix.lower() in SUFFIXES)
    except UNREADABLE as cause:
        raise BadInput(f"{path} is not a whole DICOM file (truncated?); copy it again.") from cause
    if "SOPClassUID" not in header and "Rows" not in header:
        raise BadInput(f"{path} is not a whole DICOM file (truncated?); copy it again.")
    return header


def pixels(header: pydicom.Dataset, path: Path) -> np.ndarray:
    """Stored values times slope plus intercept, (row, column) float32."""
    if int(header.get("SamplesPerPixel", 1) or 1) != 1 or header.get("PhotometricInterpretation") == PALETTE:
        raise BadInput(f"{path} holds colours, not intensities; give a series with one number per pixel.")
    if int(header.get("NumberOfFrames", 1) or 1) != 1:
        raise BadInput(
            f"{path} holds {header.NumberOfFrames} frames in one file (enhanced DICOM); "
            "convert it to NIfTI, for instance with dcm2niix."
        )
    try:
        stored = header.pixel_array
    except Exception as cause:  # decoders of other libraries raise what they like
        raise BadInput(
            f"{path} has pixels that cannot be decoded (cut short, or compressed with a codec that is "
            "not installed); decompress it, for instance with gdcmconv --raw."
        ) from cause
    slope, intercept = (header.get(k) for k in ("RescaleSlope", "RescaleIntercept"))
    slope, intercept = 1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)
    return stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)


def volume(headers: list[pydicom.Dataset], path: Path) -> ImageFile:
    """Slices sorted along their normal; the affine from their position, orientation and spacing."""
    sizes = {(h.get("Rows"), h.get("Columns")) for h in headers}
    if len(sizes) > 1:
        raise BadInput(f"{path} holds slices of {len(sizes)} sizes; give a folder with slices of one size.")
    placed = all(
        "ImagePositionPatient" in h and "ImageOrientationPatient" in h and "PixelSpacing" in h
        for h in headers
    )
    if not placed and len(headers) > 1:
        raise BadInput(
            f"{path} has slices without position or orientation, so they cannot be sorted; "
            "give one file, or a series that states them."
        )
    if not placed:
        between = header_spacing(headers[0])
        array, affine = from_rows(pixels(headers[0], path)[None], between)
        note = "the file states no position: the front is taken to be on top, the patient's right on the left"
        return canonical(array, affine, "dicom", path, (note,), "PixelSpacing" in headers[0])
    turns = np.array([h.ImageOrientationPatient for h in headers], dtype=float).reshape(-1, 2, 3)
    turn = turns[0]
    if np.abs(turns - turn).max() > 1e-3:
        raise BadInput(f"{path} holds slices of different orientation; give a folder with parallel slices.")
    normal = np.cross(turn[0], turn[1])
    headers = sorted(headers, key=lambda h: float(normal @ np.array(h.ImagePositionPatient, dtype=float)))
    where = np.array([h.ImagePositionPatient for h in headers], dtype=float)
    step = normal * header_spacing(headers[0])[2]
    if len(headers) > 1:
        gaps = np.diff(where @ normal)
        if gaps.min() < 1e-3 or gaps.max() > 1.05 * gaps.min():
            raise BadInput(
                f"{path} has slices {gaps.min():.2f} to {gaps.max():.2f} mm apart; "
                "give a folder in which none is missing or doubled."
            )
        step = (where[-1] - where[0]) / (len(headers) - 1)
    rows, columns = (float(s) for s in headers[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, :3] = np.stack([turn[1] * rows, turn[0] * columns, step], 1)
    affine[:3, 3] = where[0]
    affine[:2] *= -1  # DICOM's axes point left and back, ours right and forwards
    return canonical(np.stack([pixels(h, path) for h in headers], 2), affine, "dicom", path)


def header_spacing(header: pydicom.Dataset) -> tuple[float, float, float]:
    """Row, column and slice spacing in millimetres; 1 where the file states none."""
    rows, columns = (float(s) for s in header.get("PixelSpacing") or (1, 1))
    between = header.get("SpacingBetweenSlices") or header.get("SliceThickness") or 1
    return rows, columns, abs(float(between))
