"""Checkers of chapter 3/08, particles."""

import torch

from ..checks import compare, exercise


@exercise("part-1")
def effective(answer):
    """answer(log_w) -> effective sample size of weights with these logarithms [kong1994ess]."""
    g = torch.Generator().manual_seed(0)
    for shift in (0.0, 1000.0):
        log_w = 1.5 * torch.randn(20, generator=g, dtype=torch.float64)
        w = log_w.softmax(0)
        compare(
            answer(log_w + shift),
            1 / w.square().sum(),
            known={
                "that is the share; multiply by n": 1 / w.square().sum() / len(w),
                "one over that: with equal weights the answer must be n": w.square().sum(),
                "the largest weight alone does not tell: square all weights and sum": 1 / w.max(),
                "that uses the logarithms as if they were weights": (log_w + shift).sum() ** 2
                / (log_w + shift).square().sum(),
                "normalise the weights first, or divide by the sum squared": 1
                / (log_w + shift).exp().square().sum(),
            },
            otherwise="with n equal weights the answer is n, and 1 if one weight is all",
        )
    return "between 1 and n, whatever constant stands in front of the weights"


@exercise("part-2")
def copies_of(answer):
    """answer(w, u) -> how often each particle is copied by systematic resampling [kitagawa1996filter]."""
    w = torch.tensor([0.05, 0.42, 0.13, 0.4], dtype=torch.float64)

    def counts(points):
        return torch.bincount(torch.searchsorted(w.cumsum(0), points).clamp(max=3), minlength=4)

    i = torch.arange(4, dtype=torch.float64)
    for u in (0.1, 0.75):
        compare(
            answer(w, u),
            counts((u + i) / 4),
            known={
                "the points are (u + i) / n: the offset is divided by n too": counts(u + i / 4),
                "without the offset u the result is biased": counts(i / 4),
                "these are the expected numbers of copies; copies are whole": 4 * w,
                "that rounds n w, which need not sum to n": (4 * w).round(),
                "those are the chosen indices; count them": torch.searchsorted(w.cumsum(0), (u + i) / 4),
            },
            otherwise="the counts must sum to n, and differ from n w by less than 1",
        )
    return "no particle is copied more than one time too often or too seldom"


@exercise("part-3")
def needed(answer):
    """answer(r, m, k) -> number of prior draws whose effective size is k after m pixels."""
    for r, m, k in ((0.6, 10, 10), (0.4, 5, 3)):
        compare(
            answer(r, m, k),
            k / r**m,
            known={
                "that is what is left of k: divide instead": k * r**m,
                "the shares multiply, they do not add: r to the power m": k / (r * m),
                "that is the share left, not the number needed": r**m,
                "and the effective size k is wanted, not 1": 1 / r**m,
            },
            otherwise="ESS = n r^m; solve for n",
        )
    return "with r = 0.6 and 4096 numbers it has more than nine hundred digits"


@exercise("part-4")
def log_weight(answer):
    """answer(log_prior, log_proposal, psi_before, psi_after) -> log weight of a step [wu2023tds, eq. 11]."""
    prior, proposal, before, after = 0.3, 1.1, -2.0, -0.4
    compare(
        answer(prior, proposal, before, after),
        prior - proposal + after - before,
        known={
            "target over proposal: the two densities are the wrong way round": proposal
            - prior
            + after
            - before,
            "the two twisting functions are the wrong way round": prior - proposal + before - after,
            "the proposal must be paid for: its density divides": prior + after - before,
            "without dividing by the earlier function the likelihood is counted at every level": prior
            - proposal
            + after,
            "that is right only if the proposal were the prior's own step": after - before,
        },
        otherwise="numerator minus denominator, in logarithms",
    )
    return "multiplied over all steps, only the likelihood at the end is left"
