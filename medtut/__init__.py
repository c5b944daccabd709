"""medtut: diffusion models in medical imaging, each method on one screen and in one notation."""

from importlib import import_module

import torch

from . import denoisers, exact, noise, operators, physics, posterior, samplers, schedules
from .denoisers import Preconditioned, Ranged, denoising_loss, given, guided, turned
from .exact import FiniteDataset, Gaussian, GaussianMixture, StationaryGaussian
from .noise import generators, randn, randn_like
from .operators import InverseProblem, simulate, to_complex, to_real
from .physics import MRI
from .posterior import dds, dps
from .samplers import (
    State,
    annealed_langevin,
    churn,
    ddim,
    ddpm,
    dpmpp_2m,
    dpmpp_2s,
    heun,
    invert,
    last,
    start,
    unipc,
)

# Names and modules that import MONAI, nilearn or matplotlib are fetched when they are first used.
_LAZY = {"load": "weights"}

__all__ = [
    "MRI",
    "FiniteDataset",
    "Gaussian",
    "GaussianMixture",
    "InverseProblem",
    "Preconditioned",
    "Ranged",
    "State",
    "StationaryGaussian",
    "annealed_langevin",
    "churn",
    "ddim",
    "ddpm",
    "dds",
    "denoisers",
    "denoising_loss",
    "device",
    "dpmpp_2m",
    "dpmpp_2s",
    "dps",
    "exact",
    "generators",
    "given",
    "guided",
    "heun",
    "invert",
    "last",
    "noise",
    "operators",
    "physics",
    "posterior",
    "randn",
    "randn_like",
    "samplers",
    "schedules",
    "simulate",
    "start",
    "to_complex",
    "to_real",
    "turned",
    "unipc",
]


def device() -> str:
    """The best device of this machine: "cuda" if there is one, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as missing:
        if missing.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
