"""Measurement operators of imaging physics, one module per modality."""

from . import (
    blur,
    ct,
    likelihoods,
    matrix,
    mismatch,
    mri,
    mri_masks,
    mri_motion,
    mri_radial,
    pet,
    phase,
    pixels,
    spectral,
)
from .blur import Blur, NonlinearBlur, SuperResolution
from .ct import CT, BeamHardening
from .matrix import Matrix
from .mri import MRI
from .mri_motion import MotionMRI
from .mri_radial import RadialMRI
from .pet import PET
from .phase import PhaseRetrieval
from .pixels import Downsample, Inpainting
from .spectral import svd

__all__ = [
    "CT",
    "MRI",
    "PET",
    "BeamHardening",
    "Blur",
    "Downsample",
    "Inpainting",
    "Matrix",
    "MotionMRI",
    "NonlinearBlur",
    "PhaseRetrieval",
    "RadialMRI",
    "SuperResolution",
    "blur",
    "ct",
    "likelihoods",
    "matrix",
    "mismatch",
    "mri",
    "mri_masks",
    "mri_motion",
    "mri_radial",
    "pet",
    "phase",
    "pixels",
    "spectral",
    "svd",
]
