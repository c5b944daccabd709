"""Unconditional samplers: generators f(denoise, sigmas, x, *, knobs, generator) that yield States."""

from .adaptive import probability_flow
from .ancestral import ddim, ddpm, renoise
from .exponential import dpmpp_2m, dpmpp_2s, unipc
from .flow import path, straightness
from .langevin import annealed_langevin
from .likelihood import bits_per_dim, dequantise, log_likelihood
from .ode import churn, heun, invert
from .repaint import repaint, there_and_back
from .sde import VE, VP, SubVP, predictor_corrector, reverse_sde
from .state import State, last, start
from .variance import ancestral, bound_term, step_variance, variance_ends

__all__ = [
    "VE",
    "VP",
    "State",
    "SubVP",
    "ancestral",
    "annealed_langevin",
    "bits_per_dim",
    "bound_term",
    "churn",
    "ddim",
    "ddpm",
    "dequantise",
    "dpmpp_2m",
    "dpmpp_2s",
    "heun",
    "invert",
    "last",
    "log_likelihood",
    "path",
    "predictor_corrector",
    "probability_flow",
    "renoise",
    "repaint",
    "reverse_sde",
    "start",
    "step_variance",
    "straightness",
    "there_and_back",
    "unipc",
    "variance_ends",
]
