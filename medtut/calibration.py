"""Is what a sampler draws the posterior? Measures that need no clinical reader, only truths and draws.

Samples are (b, k, ...): b problems, k draws of each; truths are (b, ...). The truth of a problem and k exact
posterior draws are exchangeable, and every measure here tests a consequence of that. Those that compare only
ranks and spreads are also passed by draws of the prior that ignore the data, so a proper score (`crps`,
`energy_score`) belongs beside each of them.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .errors import BadInput
from .noise import randn


class Ranks(NamedTuple):
    """How often each rank occurred, and the chi-square test that all of them are equally likely."""

    ranks: Tensor  # (b,), of the truth among its k draws: 0 to k
    counts: Tensor  # (bins,)
    chi_square: float
    p: float


def identity_ratio(samples: Tensor, truth: Tensor) -> float:
    """E |x_s - x0|^2 over the variance of the draws: exactly 2 for draws of the posterior.

    A draw then misses the truth by twice the variance by which it misses the mean. Above 2: too narrow, or
    beside the truth; below 2: too wide. Both parts are summed over all problems and entries before dividing,
    so that no small variance is divided by. samples (b, k, ...) with k >= 2, truth (b, ...).
    """
    _check(samples, truth, least=2)
    error = (samples - truth[:, None]).double().square().mean(1)
    return float(error.sum() / samples.double().var(1).sum())


def coverage(samples: Tensor, truth: Tensor, level: float) -> Tensor:
    """Share of each problem's truths inside the central interval of its draws, (b,); mean `level` if right.

    The interval reaches from the j-th smallest to the j-th largest of k draws; the truth is one of k + 1
    exchangeable values, so it lies there with probability 1 - 2 j / (k + 1), and no other level can be tested
    without a bias: 39 draws allow 0.95 (j = 1), 0.9, ... With ties it is at least that. Entries of one image
    depend on each other: take errors over problems. samples (b, k, ...), truth (b, ...); a functional of
    images is (b, k) and (b,).
    """
    k = _check(samples, truth)
    j = (1 - level) * (k + 1) / 2
    if not 0 < level < 1 or round(j) < 1 or abs(j - round(j)) > 1e-6:
        raise BadInput(
            f"got level = {level} with {k} draws, need 1 - 2 j / {k + 1} for a whole j >= 1; "
            f"use {_draws_for(level)}."
        )
    low, high = (samples.kthvalue(i, 1).values for i in (round(j), k + 1 - round(j)))
    return ((truth >= low) & (truth <= high)).double().reshape(len(truth), -1).mean(1)


def _draws_for(level: float) -> str:
    for k in range(2, 2000):
        j = (1 - level) * (k + 1) / 2
        if 0 < level < 1 and round(j) >= 1 and abs(j - round(j)) < 1e-6:
            return f"{k} draws, the fewest that allow this level"
    return "a level between 0 and 1 such as 0.9 with 19 draws"


def rank_counts(
    samples: Tensor, truth: Tensor, bins: int | None = None, generator: torch.Generator | None = None
) -> Ranks:
    """Ranks of the truth among its draws, uniform on 0..k for the posterior: simulation-based calibration
    [talts2018sbc, alg. 1 and theorem 1].

    samples (b, k) and truth (b,) are one scalar quantity h of each image. A quantity that does not look at y
    is calibrated for draws of the prior, too; log p(y | x) is not. Ties are broken at random, fairly. `bins`
    divides k + 1 (by default all ranks); the chi-square test wants 5 problems or more in each bin.
    """
    k = _check(samples, truth)
    bins = k + 1 if bins is None else bins
    if samples.ndim != 2 or bins < 2 or (k + 1) % bins:
        raise BadInput(
            f"got samples of shape {tuple(samples.shape)} and {bins} bins, need one number for each draw, "
            f"(b, k), and bins that divide {k + 1}; use h(samples), h(truth) and {k + 1} bins."
        )
    below = (samples < truth[:, None]).sum(1)
    ties = (samples == truth[:, None]).sum(1)
    u = torch.special.ndtr(randn((len(truth),), generator, truth.double().cpu())).to(truth.device)
    ranks = below + (u * (ties + 1)).long().clamp(max=ties)
    counts = torch.bincount(ranks * bins // (k + 1), minlength=bins)
    expected = len(truth) / bins
    chi = float((counts - expected).double().square().sum() / expected)
    tail = torch.special.gammaincc(torch.tensor((bins - 1) / 2).double(), torch.tensor(chi / 2).double())
    return Ranks(ranks, counts, chi, float(tail))


def crps(samples: Tensor, truth: Tensor) -> Tensor:
    """Continuous ranked probability score [gneiting2007proper, eq. 21], mean over a problem's entries, (b,).

    E |X - x0| - 1/2 E |X - X'| in the unit of x, the paper's with the other sign: lower is better, and the
    posterior has the lowest mean. The second term runs over pairs of different draws, so that k draws are
    judged without bias [ferro2014fair]. samples (b, k, ...) with k >= 2, truth (b, ...).
    """
    k = _check(samples, truth, least=2)
    x = samples.double().reshape(len(truth), k, -1)
    miss = (x - truth.double().reshape(len(truth), 1, -1)).abs().mean(1)
    weight = 2 * torch.arange(1, k + 1, device=x.device) - k - 1  # sum over pairs from the order statistics
    spread = (weight[:, None] * x.sort(1).values).sum(1) / (k * (k - 1))
    return (miss - spread).mean(1)


def energy_score(samples: Tensor, truth: Tensor) -> Tensor:
    """The CRPS of whole images, with Euclidean norms in place of | |, (b,); see `crps`.

    This is minus the energy score [gneiting2007proper, eq. 22] with beta = 1. It sees wrong correlations, to
    which the CRPS of single entries is blind.
    """
    k = _check(samples, truth, least=2)
    x = samples.double().reshape(len(truth), k, -1)
    miss = (x - truth.double().reshape(len(truth), 1, -1)).norm(dim=2).mean(1)
    return miss - torch.stack([torch.pdist(one).mean() for one in x]) / 2


def sliced_wasserstein(
    a: Tensor, b: Tensor, projections: int = 500, generator: torch.Generator | None = None
) -> float:
    """Sliced 2-Wasserstein distance of two sets of n vectors, (n, ...) each, in the unit of x
    [bonneel2015sliced].

    Root mean square, over random directions, of the difference of sorted projections. Two sets from one
    distribution are not at distance 0: print beside it the floor, sliced_wasserstein of two independent sets
    of n draws of the reference.
    """
    if a.shape != b.shape or len(a) < 1:
        raise BadInput(
            f"got sets of shapes {tuple(a.shape)} and {tuple(b.shape)}, need equal shapes (n, ...); "
            "use the same number of draws of both."
        )
    a, b = a.double().flatten(1), b.double().flatten(1)
    directions = randn((a.shape[1], projections), generator, a)
    directions = directions / directions.norm(dim=0)
    gap = (a @ directions).sort(0).values - (b @ directions).sort(0).values
    return float(gap.square().mean().sqrt())


def moment_errors(samples: Tensor, mean: Tensor, cov: Tensor) -> tuple[float, float]:
    """Errors of the mean, over the posterior's spread sqrt(tr cov), and of the covariance, over |cov|.

    samples (n, ...), mean (...), cov (d, d) of the flattened image. Exact draws have errors of about
    n**-0.5 and (d / n)**0.5, the floors.
    """
    x, mean, cov = samples.double().flatten(1), mean.double().flatten(), cov.double()
    return (
        float((x.mean(0) - mean).norm() / cov.trace().sqrt()),
        float((torch.cov(x.T) - cov).norm() / cov.norm()),
    )


def subspace_variances(samples: Tensor, cov: Tensor, matrix: Tensor) -> tuple[float, float]:
    """Variance of the draws over that of the posterior, in the row space and in the null space of A; both 1.

    Too narrow in one and too wide in the other cancels in any measure of both together. samples (n, ...),
    cov (d, d), matrix (m, d) the operator. A space of no dimension gives nan.
    """
    spread, cov, matrix = torch.cov(samples.double().flatten(1).T), cov.double(), matrix.double()
    rank = int(torch.linalg.matrix_rank(matrix))
    axes = torch.linalg.svd(matrix).Vh
    ratios = [
        (part @ spread @ part.T).trace() / (part @ cov @ part.T).trace()
        for part in (axes[:rank], axes[rank:])
    ]
    return float(ratios[0]), float(ratios[1])


def expected_chi_square(mean: Tensor, cov: Tensor, matrix: Tensor, y: Tensor, noise_std: float) -> float:
    """What |y - A x|^2 / (m noise_std^2) of a draw of N(mean, cov) is on average, given this y.

    For the posterior it averages to 1 over problems, but is not 1 for each; 0 would be a fit of the noise.
    """
    residual = y.double().flatten() - matrix.double() @ mean.double().flatten()
    predicted = (matrix.double() @ cov.double() @ matrix.double().T).trace()
    return float((residual.square().sum() + predicted) / (len(residual) * noise_std**2))


def _check(samples: Tensor, truth: Tensor, least: int = 1) -> int:
    """The number of draws k; refuse shapes that do not belong together, too few draws, NaN."""
    fits = samples.ndim >= 2 and truth.shape == samples.shape[:1] + samples.shape[2:] and truth.numel()
    if not fits or samples.shape[1] < least:
        raise BadInput(
            f"got samples of shape {tuple(samples.shape)} and truth {tuple(truth.shape)}, need (b, k, ...) "
            f"with k >= {least} and (b, ...); use samples[None] and truth[None] for a single problem."
        )
    if samples.is_complex() or truth.is_complex():
        raise BadInput("got complex images, need real ones; use to_real(z) to make the two parts channels.")
    if not (torch.isfinite(samples).all() and torch.isfinite(truth).all()):
        raise BadInput(
            "got NaN or infinite values, need finite ones; use draws of a run that did not diverge."
        )
    return samples.shape[1]
