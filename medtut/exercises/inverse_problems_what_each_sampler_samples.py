"""Checkers of chapter 3/04, what each sampler samples."""

from ..checks import compare, exercise


@exercise("exact-1")
def width(answer):
    """answer(s, lam, noise) -> variance of p(y | x) for a prior of variance lam."""
    for s, lam, noise in ((0.7, 2.0, 0.25), (3.0, 0.5, 0.1)):
        compare(
            answer(s, lam, noise),
            s**2 * lam / (lam + s**2) + noise,
            known={
                "that is the variance of x0 given x; y adds its noise": s**2 * lam / (lam + s**2),
                "that is DPS: x0 is not known exactly once x is": noise,
                "s**2 is wider than x0 given x is: the prior knows something too": s**2 + noise,
                "that is p(y), before x was seen": lam + noise,
                "that is right for a prior of variance 1 only": s**2 / (1 + s**2) + noise,
            },
            otherwise="two limits: noise at s = 0, and lam + noise for large s",
        )
    return "with it the pull of the data is exact; every other width is another sampler"


@exercise("exact-2")
def misfit(answer):
    """answer(y, mu, v, noise) -> expected chi-square of a draw of N(mu, v)."""
    y, mu, v, noise = 1.4, 0.8, 0.2, 0.25
    compare(
        answer(y, mu, v, noise),
        ((y - mu) ** 2 + v) / noise,
        known={
            "that is the misfit of the mean; a draw also deviates from it": (y - mu) ** 2 / noise,
            "the mean of this posterior is not y: add its own misfit": v / noise,
            "1 is the average over all y, not the value for this one": 1.0,
            "y was drawn already: its noise does not come in again": ((y - mu) ** 2 + v + noise) / noise,
            "divide by the variance of the noise": (y - mu) ** 2 + v,
        },
        otherwise="the square of (y - mu) plus a deviation of variance v, over the noise variance",
    )
    return "never 0, and not 1 for a single y either"


@exercise("exact-3")
def ratio(answer):
    """answer(c, bias) -> R for c times the variance and a bias in posterior standard deviations."""
    for c, bias in ((2.0, 0.5), (0.5, 1.0)):
        compare(
            answer(c, bias),
            (1 + c + bias**2) / c,
            known={
                "the bias is missing": (1 + c) / c,
                "a bias in standard deviations enters by its square": (1 + c + bias) / c,
                "divide by the variance of the sampler, which is what its draws show": 1 + c + bias**2,
                "the truth scatters too, with variance 1 in these units": (c + bias**2) / c,
                "2 is right for the posterior itself only": 2.0,
            },
            otherwise="E (x_s - x0)^2 is the sum of three terms; try c = 1 and bias = 0, which gives 2",
        )
    return "too narrow and beside the truth look alike in R: both are above 2"


@exercise("exact-4")
def inside(answer):
    """answer(k, j) -> probability of the truth between the j-th smallest and j-th largest of k draws."""
    for k, j in ((39, 1), (19, 2), (9, 3)):
        compare(
            answer(k, j),
            1 - 2 * j / (k + 1),
            known={
                "k draws and the truth are k + 1 numbers": 1 - 2 * j / k,
                "ranks lie outside on both sides": 1 - j / (k + 1),
                "that counts the draws between the two": (k - 2 * j) / (k + 1),
                "the rank j - 1 is below the j-th draw, the rank j above: j ranks on each side":
                    1 - 2 * (j - 1) / (k + 1),
            },
            otherwise="of k + 1 equally likely ranks, j lie below and j above",
        )  # fmt: skip
    return "39 draws for 95 per cent, and any image in which every pixel is covered would need far more"
