"""Reconstruction: samplers of the posterior or near it, one function per paper, and classical baselines."""

from . import tuned as tuned
from .blind import bird, blind_dps
from .classical import cg_sense, gaussian_map, gaussian_sample, total_variation, zero_filled
from .fitted import FittedGaussian, fit_gaussian
from .guidance import dps, mcg, moment_matching, pigdm
from .langevin import preconditioned_ula, score_ald
from .particles import fps, mcgdiff, tds
from .plug_and_play import pnp_admm, red, single_shot_pnp
from .projection import come_closer, ddnm, dds, score_mri, song
from .retrieval import hybrid_input_output
from .spectral import ddnm_plus, ddrm
from .splitting import daps, diffpir, pnp_dm
from .variational import red_diff
from .volume import dds_volume

__all__ = [
    "FittedGaussian",
    "bird",
    "blind_dps",
    "cg_sense",
    "come_closer",
    "daps",
    "ddnm",
    "ddnm_plus",
    "ddrm",
    "dds",
    "dds_volume",
    "diffpir",
    "dps",
    "fit_gaussian",
    "fps",
    "gaussian_map",
    "gaussian_sample",
    "hybrid_input_output",
    "mcg",
    "mcgdiff",
    "moment_matching",
    "pigdm",
    "pnp_admm",
    "pnp_dm",
    "preconditioned_ula",
    "red",
    "red_diff",
    "score_ald",
    "score_mri",
    "single_shot_pnp",
    "song",
    "tds",
    "total_variation",
    "zero_filled",
]
