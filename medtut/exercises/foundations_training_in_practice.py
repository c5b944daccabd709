"""Checkers of chapter 1/06, training in practice."""
import torch

from ..checks import compare, exercise


@exercise("practice-1")
def flow_weight(answer):
    """answer(sigma, gamma) -> Min-SNR on the flow's squared error [hang2023minsnr]."""
    s, gamma = torch.tensor([0.1, 0.4, 1.0, 3.0], dtype=torch.float64), 5.0
    snr = 1 / s**2
    least, out = snr.clamp(max=gamma), s / (1 + s)
    compare(answer(s, gamma), least * out**2, known={
        "that is the weight on the image; the flow's error is another: multiply by c_out squared": least,
        "c_out has to be squared: the loss is a squared error": least * out,
        "divided instead of multiplied: the image's error is c_out times the network's": least / out**2,
        "that is the form for eps, whose c_out is sigma": least / snr,
        "that is the form for v, whose c_out is sigma / sqrt(1 + sigma**2)": least / (snr + 1),
        "the larger of the two is taken; Min-SNR takes the smaller": snr.clamp(min=gamma) * out**2,
    }, otherwise="write min(1 / sigma**2, gamma), then multiply by (sigma / (1 + sigma))**2")
    return "one weight, and c_out squared carries it to any target"


@exercise("practice-2")
def largest_decay(answer):
    """answer(n, share) -> the decay d with d**n = share."""
    n, share = 500, 0.01
    compare(answer(n, share), share ** (1 / n), known={
        "that is the share that d = `share` leaves; solve d**n = share for d": share**n,
        "that is the usual 1 - 1/n: it forgets too little, exp(-1) of the start stays": 1 - 1 / n,
        "that is a share of one step; n steps multiply n such factors": 1 - share / n,
    }, otherwise="after n steps the untrained weights have the share d**n", tol=1e-5)
    return "the untrained weights fade like d**n"


@exercise("practice-3")
def sigma_max_needed(answer):
    """answer(tau, f) -> S with tau / sqrt(tau**2 + S**2) = f."""
    tau, f = 6.6, 0.05
    compare(answer(tau, f), tau * (1 / f**2 - 1) ** 0.5, known={
        "that is for an ancestral sampler, whose lost fraction has squares": tau * (1 / f - 1) ** 0.5,
        "that is S squared": tau**2 * (1 / f**2 - 1),
        "nearly: you left tau**2 out of the root": tau / f,
        "that is the other way round: a smaller fraction needs a larger start": tau * f,
    }, otherwise="square tau / sqrt(tau**2 + S**2) = f and solve for S", tol=2e-4)
    return "the start must be far above the spread of what all pixels share"


@exercise("practice-4")
def variance_of_step(answer):
    """answer(tau, s, s_next) -> variance of x_next given x for N(0, tau**2) [bao2022analytic]."""
    tau, s, s_next = 0.5, 2.0, 0.8
    r = s_next**2 / s**2
    small, doubt = s_next**2 * (1 - r), tau**2 * s**2 / (tau**2 + s**2)
    large = (s**2 - s_next**2) * (1 + s_next**2) / (1 + s**2)
    compare(answer(tau, s, s_next), small + (1 - r) ** 2 * doubt, known={
        "that is the small variance: it forgets that x0 is not known": small,
        "that is the large variance, right for tau = 1 only": large,
        "the factor before the doubt about x0 has to be squared": small + (1 - r) * doubt,
        "the doubt about x0 is not tau**2: x has told something": small + (1 - r) ** 2 * tau**2,
        "that is a standard deviation": (small + (1 - r) ** 2 * doubt) ** 0.5,
    }, otherwise="add the small variance and (1 - s_next**2 / s**2)**2 times var(x0 | x)")
    return "what the chain adds, and what it does not know"
