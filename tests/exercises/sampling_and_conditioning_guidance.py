"""Planted wrong answers of chapter 2/04."""

NOTEBOOK = "notebooks/2_sampling_and_conditioning/04_guidance.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt}


WRONG = {
    "guidance-1": [
        (lambda null, label, w: label + w * (label - null), "paper's convention"),
        (lambda null, label, w: null + w * (null - label), "wrong way"),
        (lambda null, label, w: label + w * (null - label), "changed places"),
        (lambda null, label, w: w * label, "sum to 1"),
    ],
    "guidance-2": [(2, "same number"), (1, "other way"), (5, "compare the factors")],
    "guidance-3": [
        (lambda v, V, w: 1 / (w / v + (1 - w) / V), "tilted density"),
        (lambda v, V, w: (v**w * V ** (1 - w)) ** 0.5, "standard deviation"),
        (lambda v, V, w: w * v + (1 - w) * V, "logarithms"),
        (lambda v, V, w: v / w, "must give V"),
    ],
    "guidance-4": [
        (lambda s, low, high, w: w if low < s <= high else 0.0, "forgets the label"),
        (lambda s, low, high, w: 1.0 if low < s <= high else w, "inside out"),
        (lambda s, low, high, w: w if s <= high else 1.0, "below the interval"),
        (lambda s, low, high, w: w if s > low else 1.0, "above the interval"),
        (lambda s, low, high, w: w - 1 if low < s <= high else 1.0, "must be w"),
    ],
    "guidance-5": [
        (lambda d, g, s, w: d + w * s * g, "one power of sigma"),
        (lambda d, g, s, w: d + w * g, "which power"),
        (lambda d, g, s, w: d - w * s**2 * g, "walks away"),
        (lambda d, g, s, w: w * (d + s**2 * g), "gradient only"),
        (lambda d, g, s, w: d + g / s**2, "must return d"),
    ],
}
