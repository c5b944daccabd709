"""Checkers of chapter 2/04, guidance."""
import torch

from ..checks import compare, exercise, require


@exercise("guidance-1")
def combine(answer):
    """answer(d_null, d_label, w) -> the guided estimate [ho2022cfg], w = 1 being conditional."""
    null, label = torch.randn(2, 2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    w = 3.0
    compare(answer(null, label, w), null + w * (label - null), known={
        "that is the paper's convention, in which 0 means conditional; here it is 1":
            label + w * (label - null),
        "the difference points the wrong way: it must lead from null to label": null + w * (null - label),
        "null and label have changed places: w = 0 must give the null estimate": label + w * (null - label),
        "the weights of the two estimates must sum to 1": w * label,
    }, otherwise="test w = 0 and w = 1: they must return the two estimates unchanged")
    return "one line through two estimates"


@exercise("guidance-2")
def our_weight(answer):
    """The weight of `mt.guided` for the paper's w = 2."""
    compare(answer, 3.0, known={
        "that is the same number; but no guidance is 0 in the paper and 1 here": 2.0,
        "the shift goes the other way: our weight is the larger one": 1.0,
    }, otherwise="write both formulas with D_null and D_label, and compare the factors of D_label")
    return "w = 1 + w_paper"


@exercise("guidance-3")
def guided_variance(answer):
    """answer(v, V, w) -> variance of guided samples for N(0, V) and a class N(m, v)."""
    v, big, w = 0.25, 2.0, 3.0
    right = v**w * big ** (1 - w)
    compare(answer(v, big, w), right, known={
        "that is the tilted density's variance, which the sampler does not reach":
            1 / (w / v + (1 - w) / big),
        "that is a standard deviation": right**0.5,
        "that mixes the variances linearly; it is their logarithms that mix": w * v + (1 - w) * big,
        "that is the conditional variance, w = 1": v,
    }, otherwise="w = 0 must give V and w = 1 must give v")
    return "log variance runs along a line in w, and does not stop at 0 variance"


@exercise("guidance-4")
def weight_at(answer):
    """answer(s, low, high, w) -> the weight used at noise level s [kynkaanniemi2024interval]."""
    inside, above, below = (answer(s, 0.5, 2.0, 4.0) for s in (1.0, 5.0, 0.1))
    for value in (inside, above, below):
        compare(value, value)
    require(not (inside == 1 and above == below == 4),
            "the interval is inside out: guidance belongs between low and high")
    require(not (above == 0 or below == 0),
            "a weight of 0 forgets the label; outside the interval the sampler stays conditional")
    require(inside == 4, "inside the interval the weight must be w")
    require(above == 1, "at noise above the interval it must be conditional, the weight that changes nothing")
    require(below == 1, "at noise below the interval it must be conditional, the weight that changes nothing")
    return "conditional everywhere, guided in between"


@exercise("guidance-5")
def steer(answer):
    """answer(d, g, s, w) -> the estimate under classifier guidance [dhariwal2021beat]."""
    d, g = torch.randn(2, 2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    s, w = 0.5, 3.0
    compare(answer(d, g, s, w), d + w * s**2 * g, known={
        "one power of sigma is missing: by Tweedie's formula an estimate is x + sigma^2 times a score":
            d + w * s * g,
        "the score is in there, but not yet in the units of an image: which power of sigma?": d + w * g,
        "that walks away from the class: the gradient points to where the class is more probable":
            d - w * s**2 * g,
        "the weight belongs to the gradient only": w * (d + s**2 * g),
    }, otherwise="w = 0 must return d, and the step must grow with sigma squared")
    return "the score of the class, in the units of an image"
