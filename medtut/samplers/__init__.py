"""Unconditional samplers: generators f(denoise, sigmas, x, *, knobs, generator) that yield States."""

from .ancestral import ddim, ddpm, renoise
from .ode import heun, invert
from .state import State, last, start

__all__ = ["State", "ddim", "ddpm", "heun", "invert", "last", "renoise", "start"]
