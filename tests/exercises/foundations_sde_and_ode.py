"""Planted wrong answers of chapter 1/05."""

NOTEBOOK = "notebooks/1_foundations/05_sde_and_ode.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import math

    import medtut as mt

    return {"mt": mt, "math": math}


def _bits(log_p, d):
    import math

    return -log_p / (d * math.log(2))


def _over_the_batch(z, score, r):
    return (2 * (r * z.norm(dim=1).mean() / score.norm(dim=1).mean()) ** 2).expand(len(z))


WRONG = {
    "sde-1": [
        (lambda abar: ((1 - abar) / abar) ** 0.5, "VP's level"),
        (lambda abar: 1 - abar, "divided by its scale"),
        (lambda abar: (1 - abar) / abar, "not by abar"),
        (lambda abar: (1 - abar) ** 2 / abar, "a variance"),
        (lambda abar: abar / (1 - abar), "what multiplies eps"),
    ],
    "sde-2": [
        (_over_the_batch, "neighbours"),
        (lambda z, s, r: 2 * (r * s.norm(dim=1) / z.norm(dim=1)) ** 2, "upside down"),
        (lambda z, s, r: (r * z.norm(dim=1) / s.norm(dim=1)) ** 2, "factor 2"),
        (lambda z, s, r: 2 * r * z.norm(dim=1) / s.norm(dim=1), "square is missing"),
        (lambda z, s, r: 2 * r * (z.norm(dim=1) / s.norm(dim=1)) ** 2, "inside the square"),
        (lambda z, s, r: 3 * (r * z.norm(dim=1) / s.norm(dim=1)) ** 2, "one number for each row"),
    ],
    "sde-3": [
        (lambda log_p, d: _bits(log_p, d) + 8, "twice as wide"),
        (_bits, "width of a bin"),
        (lambda log_p, d: -log_p / d + 4.852030263919617, "nats"),
        (lambda log_p, d: 7 - _bits(log_p, d), "sign"),
        (lambda log_p, d: _bits(log_p, d) + 9, "fewer bits"),
        (lambda log_p, d: _bits(log_p, d) * 7, "for each dimension"),
    ],
    "sde-4": [
        (lambda J: 2 * J.square().sum(), "Gaussian probe"),
        (lambda J: J.square().sum() - J.diagonal().square().sum(), "4 times"),
        (lambda J: 4 * (J.square().sum() - J.diagonal().square().sum()), "counted it twice"),
        (lambda J: (2 * (J.square().sum() - J.diagonal().square().sum())) ** 0.5, "standard deviation"),
        (lambda J: J.diagonal().square().sum(), "off the diagonal"),
    ],
}
