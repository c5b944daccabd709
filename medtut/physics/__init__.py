"""Measurement operators of imaging physics, one module per modality."""

from . import mri, pixels
from .mri import MRI
from .pixels import Downsample, Inpainting

__all__ = ["MRI", "Downsample", "Inpainting", "mri", "pixels"]
