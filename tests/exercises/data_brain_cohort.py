"""Planted wrong answers of the data page."""
import math

NOTEBOOK = "notebooks/0_data/01_brain_cohort.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt}


WRONG = {
    "cohort-1": [(lambda tr, t1: t1 * math.log(2), "infinite TR"),
                 (lambda tr, t1: t1 * math.log(2 / (1 - math.exp(-tr / t1))), "sign of the recovery"),
                 (lambda tr, t1: tr / 2, "bracket")],
    "cohort-2": [(lambda z, low, high, m: [not low <= h <= high for h in z], "use the margin"),
                 (lambda z, low, high, m: [True for h in z], "slab itself"),
                 (lambda z, low, high, m: [h < low - m or h > high + m for h in z], "edges of the margin")],
    "cohort-3": [((lambda v: 2000 * v, 0.004), "water is 0.5"),
                 ((lambda v: 2 * v - 1, 0.004), "thousandths"),
                 ((lambda v: (2 * v - 1) * 1000, 0.008), "2000 HU wide"),
                 ((lambda v: (2 * v - 1) * 1000, 8.0), "image units")],
}
