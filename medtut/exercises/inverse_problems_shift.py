"""Checkers of chapter 3/14, shift, small data and three dimensions."""

import torch

from ..checks import compare, exercise


@exercise("shift-1")
def excess(answer):
    """answer(lam, trained, s2) -> excess error of x = k y, k learnt at noise variance `trained`, at `s2`."""
    for lam, trained, s2 in ((2.0, 0.5, 0.1), (1.0, 0.25, 1.0), (0.5, 1.0, 3.0)):
        k, best = lam / (lam + trained), lam / (lam + s2)
        error = (1 - k) ** 2 * lam + k**2 * s2
        compare(
            answer(lam, trained, s2),
            (k - best) ** 2 * (lam + s2),
            known={
                "that is the whole error; subtract that of the best weight": error,
                "that is the error of the best weight, which no shift enters": lam * s2 / (lam + s2),
                "the difference of the weights must be multiplied by the variance of y": (k - best) ** 2,
                "y has the variance of the image and of the noise: lam + s2": (k - best) ** 2 * lam,
                "the noise in y is that of the scan, s2, not that of training": (k - best) ** 2
                * (lam + trained),
            },
            otherwise="take the error at k, (1 - k)^2 lam + k^2 s2, and subtract lam s2 / (lam + s2)",
        )
    return "the excess grows with the square of the shift in the weight, and is zero without shift"


@exercise("shift-2")
def believed(answer):
    """answer(gamma, sigma) -> noise level for which DDS's gamma would be Bayes' rule at the level sigma."""
    for gamma, sigma in ((10.0, 2.0), (100.0, 0.05), (1.0, 0.3)):
        compare(
            answer(gamma, sigma),
            sigma / gamma**0.5,
            known={
                "that is a variance; take the root": sigma**2 / gamma,
                "gamma weighs squares, so its root enters": sigma / gamma,
                "a larger gamma means more trust in the data, so less noise": sigma * gamma**0.5,
                "the level of the state enters too": gamma**-0.5,
            },
            otherwise="write gamma = sigma^2 / noise^2 and solve for the noise",
        )
    return "a constant gamma believes in noisy data at first and in clean data at the end"


@exercise("shift-3")
def admm(answer):
    """answer(d, dual, lam, rho) -> new split and dual variable of ADMM for lam |d|_1."""
    g = torch.Generator().manual_seed(0)
    d, dual = torch.randn(2, 40, dtype=torch.float64, generator=g)
    lam, rho = 0.6, 2.0

    def soft(v, t):
        return v.sign() * (v.abs() - t).clamp(min=0)

    split = soft(d + dual, lam / rho)
    found = answer(d.clone(), dual.clone(), lam, rho)
    compare(
        found,
        (split, dual + d - split),
        known={
            "the threshold is lam / rho": soft(d + dual, lam),
            "the dual variable is added before shrinking": soft(d, lam / rho),
            "entries below the threshold become 0; a negative length would turn them round": (d + dual)
            - lam / rho * (d + dual).sign(),
            "the dual variable gathers what is left over: add d - split to it": d - split,
            "the dual variable moves by d - split, not by split - d": dual - d + split,
        },
        otherwise="first split = shrink(d + dual, lam / rho), then dual + d - split",
    )
    return "small differences between slices vanish, large ones lose lam / rho and stay"


@exercise("shift-4")
def closeness(answer):
    """answer(x, train, others) -> distance to the nearest training image over that to the nearest other."""
    g = torch.Generator().manual_seed(1)
    x, train, others = (torch.randn(n, 1, 4, 4, dtype=torch.float64, generator=g) for n in (5, 7, 7))
    x[0] = train[3] + 0.01
    a, b = (torch.cdist(x.flatten(1), t.flatten(1)) for t in (train, others))
    compare(
        answer(x.clone(), train.clone(), others.clone()),
        a.amin(1) / b.amin(1),
        known={
            "that is the other way round: a copy must give a small number": b.amin(1) / a.amin(1),
            "take the nearest image, not the mean over all": a.mean(1) / b.mean(1),
            "that is the distance alone, which is small for every smooth image; divide": a.amin(1),
            "one number for each sample: the smallest over the images, not over the samples": a.amin(0)
            / b.amin(0),
            "that compares squares": (a.amin(1) / b.amin(1)) ** 2,
        },
        otherwise="torch.cdist of the flattened images, the smallest along each row, and the ratio",
    )
    return "below 1 for anything that training images resemble more than strangers do, near 0 for a copy"
