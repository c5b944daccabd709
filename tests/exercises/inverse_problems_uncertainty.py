"""Planted wrong answers of chapter 3/12."""

import math

import torch

NOTEBOOK = "notebooks/3_inverse_problems/12_uncertainty.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


def place(n, alpha):
    return math.ceil(n * (1 - alpha) - 1e-9)


def spectrum(A, C, noise):
    return A @ C @ A.T + noise * torch.eye(len(A), dtype=A.dtype)


def root(A, s, S):
    return (A @ s @ torch.linalg.solve(S, A @ s)).sqrt()


def template(A, s, C, sd):
    return (A @ s).square().sum() / (A @ s @ spectrum(A, C, sd**2) @ (A @ s)).sqrt()


WRONG = {
    "unc-1": [
        (lambda e, a: e.sort().values[min(place(len(e) + 1, a), len(e) - 1)], "counts from 0"),
        (lambda e, a: e[place(len(e) + 1, a) - 1], "sort the scores"),
        (lambda e, a: e.sort().values[place(len(e) + 1, 1 - a) - 1], "1 - alpha outside"),
        (lambda e, a: e.sort().values[place(len(e), a) - 1], "n + 1, not n"),
        (lambda e, a: e.quantile(1 - a), "interpolated"),
        (lambda e, a: e.mean(), "rounded up"),
        (lambda e, a: e.sort().values[min(place(len(e) + 1, a), len(e)) - 1], "only an infinite radius"),
    ],
    "unc-2": [
        (lambda A, x: torch.linalg.pinv(A) @ (A @ x), "does hear"),
        (lambda A, x: x - A.T @ (A @ x), "not the transpose"),
        (lambda A, x: torch.linalg.pinv(A) @ (A @ x) - x, "opposite sign"),
        (lambda A, x: x, "must be zero"),
    ],
    "unc-3": [
        (lambda A, s, C, sd: root(A, s, spectrum(A, C, sd**2)) ** 2, "square of d'"),
        (lambda A, s, C, sd: root(A, s, spectrum(A, 0 * C, sd**2)), "anatomy varies"),
        (lambda A, s, C, sd: root(A, s, spectrum(A, C, 0.0)), "detector has noise"),
        (lambda A, s, C, sd: root(A, s, spectrum(A, C, sd)), "square is the variance"),
        (template, "matched template"),
        (lambda A, s, C, sd: s.norm() / sd, "build S"),
    ],
}
