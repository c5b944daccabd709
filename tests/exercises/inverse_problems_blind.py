"""Planted wrong answers of chapter 3/10."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/10_blind.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


def norm(z):
    return z.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)


WRONG = {
    "blind-1": [
        (lambda p, n: p + n, "before the kernel was divided"),
        (lambda p, n: 1.0, "with signs"),
        (lambda p, n: (p - n) / (p + n), "make it smaller"),
        (lambda p, n: n / (p - n), "without the rest"),
        (lambda p, n: p / (p - n), "divide the sum"),
    ],
    "blind-2": [
        (lambda power, v, s2: power / v, "noise has power"),
        (lambda power, v, s2: (power - s2) / v, "stop at 0"),
        (lambda power, v, s2: max(0.0, power - s2), "divide by the prior variance"),
        (lambda power, v, s2: max(0.0, (power - s2) / v) ** 0.5, "its square"),
        (lambda power, v, s2: 1.0, "set the derivative"),
    ],
    "blind-3": [
        (lambda back, m, s: 2 / m * back, "smaller than x"),
        (lambda back, m, s: (1 + s**2) ** 0.5 * back / m, "brings a 2"),
        (lambda back, m, s: 2 * (1 + s**2) ** 0.5 * back, "a mean over"),
        (lambda back, m, s: 2 / m * s * back, "not by sigma_max"),
        (lambda back, m, s: 2 / m * back / (1 + s**2) ** 0.5, "that divides"),
        (lambda back, m, s: back, "constants"),
    ],
    "blind-4": [
        (lambda z: z / z.norm() * 20**0.5, "shrinks the others"),
        (lambda z: z / z.norm() * 60**0.5, "right mean"),
        (lambda z: z / norm(z), "radius 1"),
        (lambda z: z / norm(z) * 20, "root of the number"),
        (lambda z: z, "by its own norm"),
    ],
}
