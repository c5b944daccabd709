"""Measurement operators of imaging physics, one module per modality."""

from . import blur, mri, pixels
from .blur import Blur, NonlinearBlur, SuperResolution
from .mri import MRI
from .pixels import Downsample, Inpainting
from .spectrum import Spectrum

__all__ = [
    "MRI",
    "Blur",
    "Downsample",
    "Inpainting",
    "NonlinearBlur",
    "Spectrum",
    "SuperResolution",
    "blur",
    "mri",
    "pixels",
]
