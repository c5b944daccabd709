"""Reconstruction: samplers of the posterior or near it, one function per paper, and classical baselines."""

from .classical import cg_sense, gaussian_map, gaussian_sample, total_variation, zero_filled
from .fitted import FittedGaussian, fit_gaussian
from .guidance import dps
from .projection import dds

__all__ = [
    "FittedGaussian",
    "cg_sense",
    "dds",
    "dps",
    "fit_gaussian",
    "gaussian_map",
    "gaussian_sample",
    "total_variation",
    "zero_filled",
]
