"""Planted wrong answers of chapter 3/06."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/06_projection.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


def step(sign=1, root=True, unit=True, swap=False):
    """DDRM's mean with one thing wrong."""

    def mean(guess, datum, nu, s_next, eta):
        if (s_next >= nu) != swap:
            return datum
        pull = (datum - guess) / (nu if unit else 1)
        return guess + sign * s_next * ((1 - eta**2) ** 0.5 if root else 1) * pull

    return mean


WRONG = {
    "proj-1": [
        (lambda A, x: A.pinv(A(x)), "range part"),
        (lambda A, x: x - A.adjoint(A(x)), "no pseudo-inverse"),
        (lambda A, x: A.pinv(A(x)) - x, "sign is wrong"),
        (lambda A, x: x, "whole image"),
        (lambda A, x: 0 * x, "taken away"),
    ],
    "proj-2": [
        (step(swap=True), "not believed as it is"),
        (step(root=False), "has a root"),
        (step(unit=False), "units of nu"),
        (step(sign=-1), "away from the datum"),
        (lambda guess, datum, nu, s_next, eta: guess, "even where it is not trusted"),
        (lambda guess, datum, nu, s_next, eta: (guess + datum) / 2, "compare s_next"),
        (lambda g, d, nu, s, eta: g + s * (1 - eta**2) ** 0.5 * (d - g) / nu, "less noisy than the next"),
    ],
    "proj-3": [
        (lambda v, s: (1 + s**2 / v) ** 0.5, "root mean squares"),
        (lambda v, s: v / (v + s**2), "other way round"),
        (lambda v, s: s**2 - v * s**2 / (v + s**2), "not the ratio"),
        (lambda v, s: (1 + s**2 / v) / 2, "only once"),
        (lambda v, s: s**2 / v, "not the prior mean"),
        (lambda v, s: 1 + v, "sigma_y**2 over"),
    ],
    "proj-4": [
        (lambda sigmas, start: sum(s <= start for s in sigmas), "place to arrive at"),
        (lambda sigmas, start: sum(s > start for s in sigmas), "calls saved"),
        (lambda sigmas, start: sum(0 < s <= start for s in sigmas) - 1, "skips the start"),
        (lambda sigmas, start: 99, "at most sigma_start"),
    ],
}
