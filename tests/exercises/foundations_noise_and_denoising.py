"""Planted wrong answers of the chapter on noise and denoising."""
import torch

NOTEBOOK = "notebooks/1_foundations/01_noise_and_denoising.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt, "torch": torch}


WRONG = {
    "noise-1": [(lambda x, s: torch.tanh(x / s), "not by its standard deviation"),
                (lambda x, s: torch.tanh(x), "noise level must enter"),
                (lambda x, s: torch.sign(x), "mean of the two"),
                (lambda x, s: torch.tanh(2 * x / s**2), "factors 2 cancel"),
                (lambda x, s: x / (1 + s**2), "both weights")],
    "noise-2": [(lambda x, a: (x / a**0.5, (1 - a) / a), "take the root"),
                (lambda x, a: (x / a**0.5, (1 - a) ** 0.5), "noise of the VP state"),
                (lambda x, a: (x / a**0.5, (a / (1 - a)) ** 0.5), "turn it over"),
                (lambda x, a: (x, ((1 - a) / a) ** 0.5), "rescaled too"),
                (lambda x, a: (x * a**0.5, ((1 - a) / a) ** 0.5), "shrink it once more"),
                (lambda x, a: (x / a, ((1 - a) / a) ** 0.5), "square root of abar")],
    "noise-3": [(lambda d, x, s: ((x - d(x, s)) / s**2, (x - d(x, s)) / s), "sign is the other one"),
                (lambda d, x, s: ((d(x, s) - x) / s, (x - d(x, s)) / s), "divide by sigma once more"),
                (lambda d, x, s: (d(x, s) - x, (x - d(x, s)) / s), "divide it by sigma**2"),
                (lambda d, x, s: ((d(x, s) - x) / s**2, (d(x, s) - x) / s), "not the reverse"),
                (lambda d, x, s: ((d(x, s) - x) / s**2, x - d(x, s)), "eps has variance 1")],
}
