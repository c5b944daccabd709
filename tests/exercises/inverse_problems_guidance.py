"""Planted wrong answers of chapter 3/05."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/05_guidance.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


def product(x0hat, x, back):
    return torch.autograd.grad(x0hat, x, back, retain_graph=True)[0]


WRONG = {
    "guide-1": [
        (lambda m, c, a, y, n: m + c**2 * a / (a**2 * c**2 + n**2) * (y - a * m), "variance already"),
        (lambda m, c, a, y, n: m + c / (a**2 * c + n**2) * (y - a * m), "the adjoint"),
        (lambda m, c, a, y, n: m + c * a / (a**2 * c + n) * (y - a * m), "has variances"),
        (lambda m, c, a, y, n: m - c * a / (a**2 * c + n**2) * (y - a * m), "sign is wrong"),
        (lambda m, c, a, y, n: m + c * a / n**2 * (y - a * m), "belief's own variance"),
        (lambda m, c, a, y, n: y / a, "it has noise"),
        (lambda m, c, a, y, n: m, "the gain is"),
    ],
    "guide-2": [
        (lambda v, s: s**2 / (1 + s**2), "prior of variance 1"),
        (lambda v, s: (v * s**2 / (v + s**2)) ** 0.5, "standard deviation"),
        (lambda v, s: 1 / v + 1 / s**2, "the precision"),
        (lambda v, s: v + s**2, "wider, not narrower"),
        (lambda v, s: v * s / (v + s), "v a variance"),
        (lambda v, s: v / (v + s**2), "slope of the denoiser"),
        (lambda v, s: min(v, s**2), "two limits"),
    ],
    "guide-3": [
        (lambda zeta, r: torch.full_like(r, zeta / len(r) ** 0.5), "equal norms only"),
        (lambda zeta, r: zeta * r / r.sum(), "add in squares"),
        (lambda zeta, r: torch.full_like(r, zeta / len(r)), "does not"),
        (lambda zeta, r: torch.full_like(r, zeta), "asked for"),
        (lambda zeta, r: zeta / r.square().sum().sqrt() * torch.ones_like(r), "norm of the sample itself"),
        (lambda zeta, r: zeta * r, "root of the sum of squares"),
    ],
    "guide-4": [
        (lambda x0hat, x, back, s: product(x0hat, x, back), "has a factor"),
        (lambda x0hat, x, back, s: s * product(x0hat, x, back), "s squared"),
        (lambda x0hat, x, back, s: s**2 * back * x0hat, "not with a derivative"),
        (lambda x0hat, x, back, s: s**2 * product(x0hat, x, torch.ones_like(back)), "ignores back"),
        (lambda x0hat, x, back, s: -(s**2) * product(x0hat, x, back), "third argument"),
    ],
}
