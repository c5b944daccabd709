"""Planted wrong answers of chapter 3/14."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/14_shift.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


def weights(lam, trained, s2):
    return lam / (lam + trained), lam / (lam + s2)


def gap(lam, trained, s2):
    k, best = weights(lam, trained, s2)
    return (k - best) ** 2


def whole(lam, trained, s2):
    k = lam / (lam + trained)
    return (1 - k) ** 2 * lam + k**2 * s2


def soft(v, t):
    return v.sign() * (v.abs() - t).clamp(min=0)


def step(split, dual, d):
    return split, dual + d - split


def nearest(x, t):
    return torch.cdist(x.flatten(1), t.flatten(1))


WRONG = {
    "shift-1": [
        (whole, "subtract that of the best"),
        (lambda lam, trained, s2: lam * s2 / (lam + s2), "which no shift enters"),
        (gap, "multiplied by the variance of y"),
        (lambda lam, trained, s2: gap(lam, trained, s2) * lam, "variance of the image and of the noise"),
        (lambda lam, trained, s2: gap(lam, trained, s2) * (lam + trained), "not that of training"),
        (lambda lam, trained, s2: 0.0, "take the error at k"),
    ],
    "shift-2": [
        (lambda gamma, sigma: sigma**2 / gamma, "take the root"),
        (lambda gamma, sigma: sigma / gamma, "root enters"),
        (lambda gamma, sigma: sigma * gamma**0.5, "less noise"),
        (lambda gamma, sigma: gamma**-0.5, "level of the state"),
        (lambda gamma, sigma: 0.02, "solve for the noise"),
    ],
    "shift-3": [
        (lambda d, w, lam, rho: step(soft(d + w, lam), w, d), "threshold is lam / rho"),
        (lambda d, w, lam, rho: step(soft(d, lam / rho), w, d), "added before shrinking"),
        (lambda d, w, lam, rho: step(d + w - lam / rho * (d + w).sign(), w, d), "turn them round"),
        (lambda d, w, lam, rho: (soft(d + w, lam / rho), d - soft(d + w, lam / rho)), "what is left over"),
        (lambda d, w, lam, rho: (soft(d + w, lam / rho), w - d + soft(d + w, lam / rho)), "not by split - d"),
        (lambda d, w, lam, rho: (d, w), "first split"),
    ],
    "shift-4": [
        (lambda x, t, o: nearest(x, o).amin(1) / nearest(x, t).amin(1), "other way round"),
        (lambda x, t, o: nearest(x, t).mean(1) / nearest(x, o).mean(1), "not the mean over all"),
        (lambda x, t, o: nearest(x, t).amin(1), "distance alone"),
        (lambda x, t, o: nearest(x, t).amin(1) - nearest(x, o).amin(1), "torch.cdist"),
        (lambda x, t, o: (nearest(x, t).amin(1) / nearest(x, o).amin(1)) ** 2, "compares squares"),
    ],
}
