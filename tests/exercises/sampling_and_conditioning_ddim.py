"""Planted wrong answers of chapter 2/01."""
from itertools import pairwise

import torch

NOTEBOOK = "notebooks/2_sampling_and_conditioning/01_ddim.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt, "pairwise": pairwise}


def step_keeping_all(x, x0hat, s, s_next, fresh, z):
    return x0hat + s_next * (x - x0hat) / s + fresh * z


def step_subtracting(x, x0hat, s, s_next, fresh, z):
    return x0hat + (s_next - fresh) * (x - x0hat) / s + fresh * z


def step_undivided(x, x0hat, s, s_next, fresh, z):
    return x0hat + (s_next**2 - fresh**2) ** 0.5 * (x - x0hat) + fresh * z


def step_deterministic(x, x0hat, s, s_next, fresh, z):
    return x0hat + (s_next**2 - fresh**2) ** 0.5 * (x - x0hat) / s


def product(factor):
    def width(levels, c):
        std = levels[0]
        for s, s_next in pairwise(levels):
            std = std * factor(s, s_next, c)
        return std
    return width


def slerp(u, v, lam, swap=False, divide=True):
    theta = torch.arccos((u * v).sum() / (u.norm() * v.norm()))
    a, b = (lam, 1 - lam) if swap else (1 - lam, lam)
    return (torch.sin(a * theta) * u + torch.sin(b * theta) * v) / (torch.sin(theta) if divide else 1)


WRONG = {
    "ddim-1": [
        (lambda s, s_next, eta: eta**2 * s_next**2 * (1 - (s_next / s) ** 2), "standard deviation is asked"),
        (lambda s, s_next, eta: eta * (s**2 - s_next**2) ** 0.5, "whole step's noise"),
        (lambda s, s_next, eta: s_next * (1 - (s_next / s) ** 2) ** 0.5, "eta is missing"),
        (lambda s, s_next, eta: eta * s_next * (1 - (s_next / s) ** 2) ** 0.5 / (1 + s_next**2) ** 0.5,
         "VP number"),
        (lambda s, s_next, eta: eta * s_next, "two limits"),
    ],
    "ddim-2": [
        (step_keeping_all, "variances sum to more"),
        (step_subtracting, "standard deviations were subtracted"),
        (step_undivided, "divided by s"),
        (step_deterministic, "fresh noise is missing"),
    ],
    "ddim-3": [
        (product(lambda s, s_next, c: c**2 / (c**2 + s**2)), "must be added back"),
        (product(lambda s, s_next, c: (c**2 + s_next**2) / (c**2 + s**2)), "not (s_next/s)^2"),
        (lambda levels, c: c, "true width"),
        (product(lambda s, s_next, c: (c**2 + s * s_next) / (c + s) ** 2), "one step to level 0"),
    ],
    "ddim-4": [
        (lambda u, v, lam: (1 - lam) * u + lam * v, "straight line"),
        (lambda u, v, lam: slerp(u, v, lam, swap=True), "from v to u"),
        (lambda u, v, lam: slerp(u, v, lam, divide=False), "division by sin"),
        (lambda u, v, lam: slerp(u / u.norm(), v / v.norm(), lam), "at lam = 0 and 1"),
    ],
}
