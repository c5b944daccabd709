"""Planted wrong answers of chapter 3/02."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/02_operators.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


def copies(y, f):
    return y.repeat_interleave(f, -1).repeat_interleave(f, -2)


def first(y, f):
    fine = y.new_zeros(*y.shape[:-2], f * y.shape[-2], f * y.shape[-1])
    fine[..., ::f, ::f] = y
    return fine


WRONG = {
    "op-1": [
        (copies, "pseudo-inverse"),
        (lambda y, f: copies(y, f) / f, "f rows and f columns"),
        (lambda y, f: y.repeat(1, 1, f, f) / f**2, "own block"),
        (first, "not only its first"),
        (lambda y, f: y, "shape"),
        (lambda y, f: -copies(y, f) / f**2, "random x and y"),
    ],
    "op-2": [
        (lambda A, x, change: x, "x itself"),
        (lambda A, x, change: x + change, "scanner notices"),
        (lambda A, x, change: x + A.pinv(A(change)), "the other part is wanted"),
        (lambda A, x, change: A.pinv(A(x)) + change, "take away what A sees"),
        (lambda A, x, change: x - change + A.pinv(A(change)), "the sign"),
        (lambda A, x, change: x + 0.5 * (change - A.pinv(A(change))), "more of the change"),
        (lambda A, x, change: x[..., :1], "shape of x"),
    ],
    "op-3": [
        (lambda s, sigma, tau: int((s >= sigma).sum()), "scale must enter"),
        (lambda s, sigma, tau: int((s > 0).sum()), "however noisy"),
        (lambda s, sigma, tau: int((s >= sigma * tau).sum()), "does not divide"),
        (lambda s, sigma, tau: int((s * tau >= sigma**2).sum()), "variances with standard deviations"),
        (lambda s, sigma, tau: int((s * tau < sigma).sum()), "not heard"),
        (lambda s, sigma, tau: 3.5, "is halved where"),
    ],
    "op-4": [
        (lambda y, sigma: y.mean(-1), "bias and all"),
        (lambda y, sigma: (y.square().mean(-1) - sigma**2).clamp(min=0).sqrt(), "imaginary part"),
        (lambda y, sigma: (y.square().mean(-1) - 2 * sigma**2).clamp(min=0), "take its root"),
        (lambda y, sigma: y.square().mean(-1).sqrt(), "mean square is missing"),
        (lambda y, sigma: (y.square() - 2 * sigma**2).clamp(min=0).sqrt().mean(-1), "over squares"),
        (lambda y, sigma: (y.square().mean(-1) - 2 * sigma**2).sqrt(), "negative by chance"),
        (lambda y, sigma: 2 * y.mean(-1), "minus 2 sigma"),
    ],
}
