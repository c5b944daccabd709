"""Planted wrong answers of chapter 3/11."""

import math

import torch

NOTEBOOK = "notebooks/3_inverse_problems/11_phase_retrieval.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt
    from medtut.physics.mri import fft2c, ifft2c

    return {"torch": torch, "mt": mt, "math": math, "fft2c": fft2c, "ifft2c": ifft2c}


def _back(spectrum):
    return namespace()["ifft2c"](spectrum)


def _there(g):
    return namespace()["fft2c"](g)


def _sure(exponent):
    return 1 / (1 + math.exp(-exponent))


def _plain(g, y):
    return torch.fft.ifft2(torch.polar(y, torch.fft.fft2(g, norm="ortho").angle()), norm="ortho").real


WRONG = {
    "phase-1": [
        (lambda g, y: g, "its magnitudes were kept"),
        (lambda g, y: _back(y.to(torch.complex128)).real, "phases are lost"),
        (lambda g, y: _back(y * _there(g)).real, "multiplied, not replaced"),
        (_plain, "use fft2c and ifft2c"),
        (lambda g, y: -g, "keep the angle"),
    ],
    "phase-2": [
        (lambda m, v, y, s: _sure(-2 * m * y / (v + s**2)), "negative sign"),
        (lambda m, v, y, s: _sure(2 * m * y / v), "under either sign"),
        (lambda m, v, y, s: _sure(2 * m * y / (v + s)), "must be squared"),
        (lambda m, v, y, s: _sure(m * y / (v + s**2)), "factor 2 is missing"),
        (lambda m, v, y, s: 0.5, "prior does"),
        (lambda m, v, y, s: 0.5 * math.erfc(-m / math.sqrt(2 * v)), "before y"),
        (lambda m, v, y, s: 1.0, "compare the densities"),
    ],
    "phase-3": [
        (lambda p, q: math.floor(math.log(1 - q) / math.log(1 - p)), "round up"),
        (lambda p, q: math.log(1 - q) / math.log(1 - p), "whole number"),
        (lambda p, q: 1 / p, "until the first success"),
        (lambda p, q: math.ceil(q / p), "do not add"),
        (lambda p, q: math.ceil(math.log(q) / math.log(1 - p)), "1 - q to none"),
        (lambda p, q: 100, "at most 1 - q"),
    ],
    "phase-4": [
        (lambda t, n: t, "single sample"),
        (lambda t, n: 1 - (1 - t) ** n, "largest of n"),
        (lambda t, n: n * t, "needs all of them"),
        (lambda t, n: (1 - t) ** n, "all lie within r"),
        (lambda t, n: 1 - t**n, "one lies within r"),
        (lambda t, n: t / n, "independent"),
    ],
}
