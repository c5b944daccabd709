"""Planted wrong answers of chapter 3/01."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/01_first_reconstruction.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


WRONG = {
    "recon-1": [
        (lambda measured, n: 2 * len(measured), "each mirrored column as new"),
        (lambda measured, n: len(measured), "number measured"),
        (lambda measured, n: len(set(measured) | {n - 1 - j for j in measured}), "edges of the list"),
        (lambda measured, n: n, "try n = 8"),
    ],
    "recon-2": [
        (lambda k, y, mask, gamma: torch.where(mask > 0, y, k), "gamma to infinity"),
        (lambda k, y, mask, gamma: (k + gamma * y) / (1 + gamma), "must stay as they are"),
        (lambda k, y, mask, gamma: k + gamma * y, "division by 1 + gamma"),
        (lambda k, y, mask, gamma: (gamma * k + y) / (gamma + mask), "weighs the data"),
        (lambda k, y, mask, gamma: k, "entry by entry"),
    ],
    "recon-3": [
        (lambda eta: (1 - eta**2) ** 0.5, "old noise that is kept"),
        (lambda eta: 1.0, "DDIM's eta"),
        (lambda eta: ((1 + (1 - eta**2) ** 0.5) / 2) ** 0.5, "standard deviation"),
        (lambda eta: 1 - eta**2, "in one step, not after many"),
        (lambda eta: 1 - eta / 2, "two limits"),
    ],
    "recon-4": [
        (lambda g, zeta, s, s_next: zeta * g, "copied, not converted"),
        (lambda g, zeta, s, s_next: zeta * (1 + s**2) ** 0.5 * g, "carried to our scale"),
        (lambda g, zeta, s, s_next: zeta * (1 + s_next**2) ** 0.5 * g, "gradient must be carried over"),
        (lambda g, zeta, s, s_next: zeta * g * ((1 + s_next**2) / (1 + s**2)) ** 0.5, "divides instead"),
        (lambda g, zeta, s, s_next: zeta * (1 + s**2) * (1 + s_next**2) * g, "lacks the square roots"),
        (lambda g, zeta, s, s_next: zeta * s * s_next * g, "both levels enter"),
    ],
}
