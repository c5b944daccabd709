"""Planted wrong answers of chapter 3/03."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/03_classical_and_plug_and_play.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


def soft(z, cut):
    return z.sign() * (z.abs() - cut).clamp(min=0)


WRONG = {
    "pnp-1": [
        (lambda a, y, n, s, lam: y / (1 + lam * n**2 / s**2 * (1 - a)), "where RED stops"),
        (lambda a, y, n, s, lam: y / (1 + lam * n / s * (1 / a - 1)), "by their squares"),
        (lambda a, y, n, s, lam: y / (1 + n**2 / s**2 * (1 / a - 1)), "lam is missing"),
        (lambda a, y, n, s, lam: y / (1 + lam * s**2 / n**2 * (1 / a - 1)), "prior's side"),
        (lambda a, y, n, s, lam: a * y, "denoises y once"),
        (lambda a, y, n, s, lam: y, "solve for x"),
    ],
    "pnp-2": [
        (lambda t, n, s: (t**2 + s**2) / (t**2 + s**2 + n**2), "RED's shrinkage"),
        (lambda t, n, s: t**2 / (t**2 + n**2) * (t**2 + s**2 + n**2) / (t**2 + s**2), "other way round"),
        (lambda t, n, s: 1.0, "ADMM would be right"),
        (lambda t, n, s: (t + s) ** 2 / ((t + s) ** 2 + n**2) * (t**2 + n**2) / t**2, "variances add"),
        (lambda t, n, s: 1 + s, "replace tau"),
    ],
    "pnp-3": [
        (lambda b, r, n: ((b / r) ** 0.5, b / n), "not over its root"),
        (lambda b, r, n: ((b / r) ** 0.5, b * n**2), "variance divides"),
        (lambda b, r, n: (b / r, b / n**2), "that is a root"),
        (lambda b, r, n: ((b / r) ** 0.5 * n, b / n**2), "does not depend on the noise"),
        (lambda b, r, n: ((r / b) ** 0.5, b / n**2), "inverse of s"),
        (lambda b, r, n: (r, b), "the tie becomes"),
    ],
    "pnp-4": [
        (lambda z, s, b: soft(z, s / b), "not s / b"),
        (lambda z, s, b: soft(z, s**2 * b), "wide prior shrinks less"),
        (lambda z, s, b: z - s**2 / b * z.sign(), "do not change sign"),
        (lambda z, s, b: z * (z.abs() > s**2 / b), "move too"),
        (lambda z, s, b: (z - s**2 / b).clamp(min=0), "mind the sign"),
        (lambda z, s, b: z, "far above the threshold"),
    ],
}
