"""Checkers of chapter 2/01, denoising diffusion implicit models."""
import math
from itertools import pairwise

import torch

from ..checks import compare, exercise, require


@exercise("ddim-1")
def fresh_noise(answer):
    """answer(s, s_next, eta) -> standard deviation of the fresh noise [song2021ddim, eq. 16], sigma units."""
    s, s_next, eta = 2.0, 1.2, 0.5
    right = eta * s_next * math.sqrt(1 - (s_next / s) ** 2)
    compare(answer(s, s_next, eta), right, known={
        "that is the variance; a standard deviation is asked": right**2,
        "that is the VP number: divide it by the root of abar_s": right / math.sqrt(1 + s_next**2),
        "that is the whole step's noise, sqrt(s^2 - s_next^2), as if the old noise were thrown away":
            eta * math.sqrt(s**2 - s_next**2),
        "eta is missing: at eta = 0 nothing may be added": right / eta,
    }, otherwise="test two limits: s_next -> s and s_next = 0 must both give 0")
    compare(answer(s, s_next, 1.0), 2 * right, otherwise="it must be proportional to eta")
    return "at eta = 1 this is DDPM's posterior standard deviation"


@exercise("ddim-2")
def ddim_step(answer):
    """answer(x, x0hat, s, s_next, fresh, z) -> the next state [song2021ddim, eq. 12], sigma units."""
    g = torch.Generator().manual_seed(0)
    x, x0hat, z = torch.randn(3, 2, 1, 4, 4, generator=g)
    s, s_next, fresh = 2.0, 1.5, 0.9
    eps, kept = (x - x0hat) / s, math.sqrt(s_next**2 - fresh**2)
    compare(answer(x, x0hat, s, s_next, fresh, z), x0hat + kept * eps + fresh * z, known={
        "the old noise is kept in full and fresh noise is added on top: the variances sum to more than "
        "s_next^2": x0hat + s_next * eps + fresh * z,
        "standard deviations were subtracted; it is variances that add up to s_next^2":
            x0hat + (s_next - fresh) * eps + fresh * z,
        "the fresh noise is missing": x0hat + kept * eps,
        "eps is the noise divided by s; here x - x0hat was used as it is":
            x0hat + kept * (x - x0hat) + fresh * z,
        "the step starts from x; it must start from the estimate x0hat": x + kept * eps + fresh * z,
    }, otherwise="set fresh to 0 and s_next to s: the step must then return x")
    return "kept and fresh noise together have the variance s_next^2"


@exercise("ddim-3")
def width(answer):
    """answer(levels, c) -> standard deviation of deterministic DDIM on N(0, c^2)."""
    levels, c = [10.0, 2.0, 0.5, 0.0], 0.7
    right, shrunk, ancestral = (levels[0],) * 3
    for s, s_next in pairwise(levels):
        right *= (c**2 + s * s_next) / (c**2 + s**2)
        shrunk *= c**2 / (c**2 + s**2)
        ancestral *= (c**2 + s_next**2) / (c**2 + s**2)
    compare(answer(levels, c), right, known={
        "that multiplies by D(x)/x alone: the old noise, scaled by s_next/s, must be added back": shrunk,
        "the noise keeps s_next/s of itself, not (s_next/s)^2": ancestral,
        "that is the true width c; a finite number of steps does not reach it": c,
        "that is a variance": right**2,
    }, otherwise="one step to level 0 from s must multiply by c^2 / (c^2 + s^2)")
    require(abs(float(answer([10.0, 0.0], c)) / (10 * c**2 / (c**2 + 100)) - 1) < 1e-3,
            "it is wrong for a single step: does the loop end at the last pair?")
    return f"these three steps give {right:.3f}, and the truth is {c}: too few steps make samples too narrow"


@exercise("ddim-4")
def between(answer):
    """answer(u, v, lam) -> the point at share lam of the great circle from u to v."""
    g = torch.Generator().manual_seed(1)
    u, v = 3 * torch.randn(2, 50, generator=g)
    lam = 0.3

    def on_circle(cosine):
        theta = torch.arccos(cosine)
        return (torch.sin((1 - lam) * theta) * u + torch.sin(lam * theta) * v) / torch.sin(theta)

    cosine = (u * v).sum() / (u.norm() * v.norm())
    theta = torch.arccos(cosine)
    compare(answer(u, v, lam), on_circle(cosine), known={
        "that is the straight line: its middle is too short": (1 - lam) * u + lam * v,
        "that runs from v to u: at lam = 0 it must be u":
            (torch.sin(lam * theta) * u + torch.sin((1 - lam) * theta) * v) / torch.sin(theta),
        "the division by sin(theta) is missing: at lam = 0 it must be u itself":
            on_circle(cosine) * torch.sin(theta),
        "that is right only for orthogonal vectors; measure the angle": on_circle(torch.zeros(())),
    }, otherwise="at lam = 0 and 1 it must be u and v; is the angle taken between directions of norm one?")
    return "noise stays on its shell"
