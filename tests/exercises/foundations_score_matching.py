"""Planted wrong answers of chapter 1/04."""

NOTEBOOK = "notebooks/1_foundations/04_score_matching.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import torch

    import medtut as mt

    return {"mt": mt, "torch": torch}


WRONG = {
    "score-1": [
        (lambda x, x0hat, s, r, z: x + r * (x0hat - x) + (2 * r) ** 0.5 * s * z, "authors' code"),
        (lambda x, x0hat, s, r, z: x + r * (x0hat - x) + r**0.5 * s * z, "half as large"),
        (lambda x, x0hat, s, r, z: x - r / 2 * (x0hat - x) + r**0.5 * s * z, "away from"),
        (lambda x, x0hat, s, r, z: x + r / 2 * (x0hat - x) + r**0.5 * z, "sqrt(alpha)"),
        (lambda x, x0hat, s, r, z: x + r / 2 * (x0hat - x) + r * s**2 * z, "root of alpha"),
        (lambda x, x0hat, s, r, z: x + r / 2 * (x0hat - x), "nearest peak"),
        (lambda x, x0hat, s, r, z: x + r / 2 * s**2 * (x0hat - x) + r**0.5 * s * z, "cancels"),
        (lambda x, x0hat, s, r, z: x0hat + s * z, "with r = 2"),
    ],
    "score-2": [(0.2, "right for the paper"), (0.1, "other way"), (2e-5, "still epsilon"),
                (4e-5, "units of a variance"), (4e-3, "squared"), (1.0, "alpha / 2")],
    "score-3": [
        (lambda S: S, "covariance itself"),
        (lambda S: -S.inverse(), "sign"),
        (lambda S: (1 / S.diagonal()).diag(), "independent"),
        (lambda S: 1 / S, "entry by entry"),
        (lambda S: S @ S, "gradient"),
    ],
    "score-4": [
        (lambda s, r: s, "step is finite"),
        (lambda s, r: s**2 / (1 - r / 4), "a variance"),
        (lambda s, r: s / (1 - r / 2) ** 0.5, "authors' code"),
        (lambda s, r: s * (1 - r / 4) ** 0.5, "not narrower"),
        (lambda s, r: s / (1 - r / 4), "its root"),
        (lambda s, r: 2 * s, "stationary variance"),
    ],
}
