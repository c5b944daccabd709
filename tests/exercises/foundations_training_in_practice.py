"""Planted wrong answers of chapter 1/06."""

NOTEBOOK = "notebooks/1_foundations/06_training_in_practice.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt}


def snr(s):
    return 1 / s**2


def least(s, gamma):
    return snr(s).clamp(max=gamma)


def doubt(tau, s):
    return tau**2 * s**2 / (tau**2 + s**2)


def small(s, t):
    return t**2 * (1 - t**2 / s**2)


WRONG = {
    "practice-1": [
        (least, "weight on the image"),
        (lambda s, gamma: least(s, gamma) * s / (1 + s), "squared"),
        (lambda s, gamma: least(s, gamma) * ((1 + s) / s) ** 2, "divided instead"),
        (lambda s, gamma: least(s, gamma) / snr(s), "form for eps"),
        (lambda s, gamma: least(s, gamma) / (snr(s) + 1), "form for v"),
        (lambda s, gamma: snr(s).clamp(min=gamma) * (s / (1 + s)) ** 2, "takes the smaller"),
        (lambda s, gamma: s * gamma, "then multiply"),
    ],
    "practice-2": [
        (lambda n, share: share**n, "solve d**n"),
        (lambda n, share: 1 - 1 / n, "forgets too little"),
        (lambda n, share: 1 - share / n, "one step"),
        (lambda n, share: 0.5, "have the share"),
    ],
    "practice-3": [
        (lambda tau, f: tau * (1 / f - 1) ** 0.5, "ancestral"),
        (lambda tau, f: tau**2 * (1 / f**2 - 1), "S squared"),
        (lambda tau, f: tau / f, "left tau"),
        (lambda tau, f: tau * f, "other way round"),
        (lambda tau, f: tau + f, "solve for S"),
    ],
    "practice-4": [
        (lambda tau, s, t: small(s, t), "small variance"),
        (lambda tau, s, t: (s**2 - t**2) * (1 + t**2) / (1 + s**2), "large variance"),
        (lambda tau, s, t: small(s, t) + (1 - t**2 / s**2) * doubt(tau, s), "squared"),
        (lambda tau, s, t: small(s, t) + (1 - t**2 / s**2) ** 2 * tau**2, "has told something"),
        (
            lambda tau, s, t: (small(s, t) + (1 - t**2 / s**2) ** 2 * doubt(tau, s)) ** 0.5,
            "standard deviation",
        ),
        (lambda tau, s, t: doubt(tau, s), "add the small variance"),
    ],
}
