"""Planted wrong answers of the chapter on DDPM."""

NOTEBOOK = "notebooks/1_foundations/02_ddpm.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt}


def variance(s, r):
    return r**2 * (1 - (r / s) ** 2)


def mean(x, x0, s, r):
    return x0 + (r / s) ** 2 * (x - x0)


WRONG = {
    "ddpm-1": [(lambda x, x0, s, r: (x0 + r / s * (x - x0), variance(s, r)), "DDIM's step"),
               (lambda x, x0, s, r: (x + (r / s) ** 2 * (x0 - x), variance(s, r)), "wrong way round"),
               (lambda x, x0, s, r: (x, variance(s, r)), "must use x0"),
               (lambda x, x0, s, r: (mean(x, x0, s, r), s**2 - r**2), "forward step's variance"),
               (lambda x, x0, s, r: (mean(x, x0, s, r), variance(s, r) ** 0.5), "not the standard deviation"),
               (lambda x, x0, s, r: (mean(x, x0, s, r), r**2), "x tells more")],
    "ddpm-2": [(lambda t, r: 1 - t, "since time 0"),
               (lambda t, r: t / r, "alpha of the jump"),
               (lambda t, r: r - t, "do not subtract"),
               (lambda t, r: 1 - r / t, "turn the fraction over")],
    "ddpm-3": [(lambda x, v, s: x / (1 + s**2) + s / (1 + s**2) ** 0.5 * v, "sign of v"),
               (lambda x, v, s: x - s * v, "treats v as noise"),
               (lambda x, v, s: (x - s * v) / (1 + s**2) ** 0.5, "not on the VP scale"),
               (lambda x, v, s: (x - s * v) / (1 + s**2), "has a root")],
}
