"""Checkers of chapter 3/11, phase retrieval."""

import math

import torch

from ..checks import compare, exercise


def _centred(x, transform):
    axes = (-2, -1)
    shifted = torch.fft.ifftshift(x, dim=axes)
    return torch.fft.fftshift(transform(shifted, norm="ortho"), dim=axes)


@exercise("phase-1")
def magnitudes_given(answer):
    """answer(g, y) -> the image whose transform has the magnitudes y, the phases of g [fienup1982phase]."""
    rng = torch.Generator().manual_seed(0)
    g, other = torch.randn(2, 1, 1, 8, 6, generator=rng, dtype=torch.float64)
    G, y = _centred(g, torch.fft.fft2), _centred(other, torch.fft.fft2).abs()

    def image(spectrum):
        return _centred(spectrum, torch.fft.ifft2).real

    plain = torch.fft.fft2(g, norm="ortho")
    compare(
        answer(g.clone(), y.clone()),
        image(torch.polar(y, G.angle())),
        known={
            "that is g itself: its magnitudes were kept": g,
            "the phases are lost: y alone was transformed back": image(y.to(G)),
            "the magnitudes were multiplied, not replaced; divide by |F g|": image(y * G),
            "y is centred, so use fft2c and ifft2c": torch.fft.ifft2(
                torch.polar(y, plain.angle()), norm="ortho"
            ).real,
        },
        otherwise="transform, keep the angle, take y for the magnitude, transform back, take the real part",
    )
    return "the nearest image with these data, and the whole of what error reduction does with them"


@exercise("phase-2")
def positive(answer):
    """answer(m, v, y, sigma_y) -> P(x0 > 0 | y) for one pixel with y = |x0| + noise."""
    for m, v, y, s in ((0.5, 1.0, 1.0, 0.5), (-0.3, 0.6, 0.8, 0.2)):

        def sure(exponent):
            return 1 / (1 + math.exp(-exponent))

        compare(
            answer(m, v, y, s),
            sure(2 * m * y / (v + s**2)),
            known={
                "that is the probability of the negative sign": sure(-2 * m * y / (v + s**2)),
                "y has the variance v + sigma_y^2 under either sign": sure(2 * m * y / v),
                "sigma_y must be squared": sure(2 * m * y / (v + s)),
                "a factor 2 is missing: (y + m)^2 - (y - m)^2 = 4 m y": sure(m * y / (v + s**2)),
                "that is the probability under the prior, before y": 0.5 * math.erfc(-m / math.sqrt(2 * v)),
                "the data alone do not tell the sign, but the prior does": 0.5,
            },
            otherwise="compare the densities of y under N(m, v + sigma_y^2) and under N(-m, v + sigma_y^2)",
        )
    return "for m = 0 it is one half, whatever y: where prior and data are silent, nobody knows"


@exercise("phase-3")
def restarts_needed(answer):
    """answer(p, q) -> how many restarts make one success at least as likely as q."""
    for p, q in ((0.6, 0.99), (0.1, 0.9), (0.5, 0.6)):
        exact = math.log(1 - q) / math.log(1 - p)
        compare(
            answer(p, q),
            math.ceil(exact),
            known={
                "round up: with fewer restarts the probability is still below q": math.floor(exact),
                "return a whole number": exact,
                "that is 1 / p, the mean number until the first success": 1 / p,
                "probabilities of failure multiply; those of success do not add": math.ceil(q / p),
                "q belongs to at least one success, 1 - q to none": math.ceil(math.log(q) / math.log(1 - p)),
            },
            otherwise="all n fail with probability (1 - p)^n; that must be at most 1 - q",
            tol=1e-6,
        )
    return "at p = 0.1 it takes 22 for nine chances in ten, so a rare success is dear"


@exercise("phase-4")
def beyond(answer):
    """answer(t, n) -> the probability that the one kept of n is beyond r, if each is with probability t."""
    for t, n in ((0.3, 8), (0.7, 4)):
        compare(
            answer(t, n),
            t**n,
            known={
                "that is a single sample": t,
                "that is the largest of n: at least one is beyond r": 1 - (1 - t) ** n,
                "probabilities do not add here; the smallest needs all of them beyond r": n * t,
                "that is the probability that all lie within r": (1 - t) ** n,
                "that is the probability that one lies within r": 1 - t**n,
            },
            otherwise="all n must be beyond r, and they are independent",
            tol=1e-6,
        )
    return "the tails go first: with t = 0.3 and eight samples fewer than one in ten thousand stays out there"
