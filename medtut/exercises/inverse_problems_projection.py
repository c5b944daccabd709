"""Checkers of chapter 3/06, the projection family."""

import torch

from ..checks import compare, exercise


class Weighted:
    """y = M x for rows x, with the names that operators have."""

    def __init__(self, M: torch.Tensor):
        self.M = M

    def __call__(self, x):
        return x @ self.M.T

    def adjoint(self, y):
        return y @ self.M

    def pinv(self, y):
        return y @ torch.linalg.pinv(self.M).T


@exercise("proj-1")
def null_part(answer):
    """answer(A, x) -> the part of x that A does not see [wang2023ddnm]."""
    M = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 3.0, 1.0]], dtype=torch.float64)
    A = Weighted(M)
    x = torch.randn(2, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    seen = A.pinv(A(x))
    compare(
        answer(A, x),
        x - seen,
        known={
            "that is the range part": seen,
            "the adjoint is no pseudo-inverse here: the singular values are not 1": x - A.adjoint(A(x)),
            "the sign is wrong": seen - x,
            "that is the whole image": x,
        },
        otherwise="what is left of x when A^+ A x is taken away",
    )
    return "two images that differ only in this have the same scan"


@exercise("proj-2")
def next_mean(answer):
    """answer(guess, datum, nu, s_next, eta) -> mean of DDRM's next coordinate, eta_b = 1 [kawar2022ddrm]."""
    guess, datum, eta = 0.4, 1.5, 0.6
    for nu, s_next in ((0.5, 0.2), (0.5, 0.9), (0.3, 0.3)):
        pulled = guess + s_next * (1 - eta**2) ** 0.5 * (datum - guess) / nu
        if s_next >= nu:
            right = datum
            known = {
                "a datum less noisy than the next state is believed as it is": pulled,
                "the guess plays no part in this case": guess,
            }
        else:
            right = pulled
            known = {
                "a datum noisier than the next state is not believed as it is": datum,
                "the pull has a root: sqrt(1 - eta**2)": guess + s_next * (datum - guess) / nu,
                "the pull is in units of nu": guess + (pulled - guess) * nu,
                "the pull goes away from the datum": 2 * guess - pulled,
                "the datum pulls, even where it is not trusted": guess,
            }
        compare(
            answer(guess, datum, nu, s_next, eta),
            right,
            known=known,
            otherwise="compare s_next with nu, and take the line of the case that holds",
        )
    return "no knob decides whom to believe, only the two noises"


@exercise("proj-3")
def price(answer):
    """answer(v, sigma_y) -> mean squared error of the datum over that of the posterior mean."""
    for v, s in ((1.0, 0.5), (0.2, 1.0)):
        best = v * s**2 / (v + s**2)
        compare(
            answer(v, s),
            1 + s**2 / v,
            known={
                "that is the ratio of the root mean squares": (1 + s**2 / v) ** 0.5,
                "that is the other way round": best / s**2,
                "that is the difference, not the ratio": s**2 - best,
                "a draw errs by twice the variance, the mean only once": s**2 / (2 * best),
                "the best estimate is not the prior mean, whose error is v": s**2 / v,
            },
            otherwise="sigma_y**2 over v sigma_y**2 / (v + sigma_y**2)",
        )
    return "nothing for a good datum; without bound where the noise exceeds the prior"


@exercise("proj-4")
def calls(answer):
    """answer(sigmas, sigma_start) -> network calls of a sampler started there [chung2022ccdf]."""
    sigmas = [5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.0]
    for start, right in ((1.0, 4), (0.7, 3), (10.0, 6)):
        low = [s for s in sigmas if s <= start]
        compare(
            answer(list(sigmas), start),
            right,
            known={
                "the final 0 is a place to arrive at; nothing is called there": len(low),
                "those are the calls saved": len(sigmas) - len(low),
                "that skips the start itself": right - 1,
            },
            otherwise="levels above 0 and at most sigma_start",
        )
    return "the levels above the start were the ones that drew the anatomy"
