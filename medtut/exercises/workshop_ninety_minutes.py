"""Checkers of the workshop of ninety minutes."""

import math

import torch

from ..checks import compare, exercise


@exercise("ninety-1")
def guess_from_noise(answer):
    """answer(x, eps_hat, sigma) -> x0hat, from the noise that a network predicts."""
    x, eps, sigma = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.3, 1.1, -0.7]), 2.0
    compare(answer(x, eps, sigma), x - sigma * eps, known={
        "that adds the noise a second time": x + sigma * eps,
        "the noise in x is sigma times eps; eps alone has variance 1": x - eps,
        "do not divide: the image in x is not shrunk, only the noise is scaled": (x - eps) / sigma,
        "that is the noise itself, not the image": sigma * eps,
        "no: with sigma in front of x the image is scaled, and the noise is not": sigma * x - eps,
    }, otherwise="start from x = x0 + sigma * eps, and take the noise away")
    return "every way in which a network speaks becomes x0hat in one line"


@exercise("ninety-2")
def fresh_noise(answer):
    """answer(s, s_next, kept) -> standard deviation of the fresh noise."""
    for s, s_next, kept in ((4.0, 3.0, 0.2), (1.0, 0.8, 0.64)):
        compare(answer(s, s_next, kept), (s_next**2 - (kept * s) ** 2) ** 0.5, known={
            "standard deviations do not add; variances do": s_next - kept * s,
            "that is a variance; take its root": s_next**2 - (kept * s) ** 2,
            "with all of s_next as fresh noise the level is too high, since some old noise stays": s_next,
            "the old noise has the level s before it is shrunk by kept": (s_next**2 - kept**2) ** 0.5,
            "the share multiplies the old noise, whose level is s and not s_next": s_next
            * (1 - kept**2) ** 0.5,
            "the share is squared in the variance": (s_next**2 - kept * s**2) ** 0.5
            if s_next**2 > kept * s**2 else math.inf,
        }, otherwise="fresh^2 + (kept s)^2 must be s_next^2")
    return "kept = (s_next / s)^2 is DDPM; kept = s_next / s leaves no fresh noise, and that is DDIM"


@exercise("ninety-3")
def gain_in_db(answer):
    """answer(n) -> dB by which the mean of n exact draws beats one draw."""
    for n in (8, 2):
        right = 2 / (1 + 1 / n)
        compare(answer(n), 10 * math.log10(right), known={
            "that is the ratio of errors, not yet in dB": right,
            "that is the loss of the mean; turn the ratio over": -10 * math.log10(right),
            "that would be so if the truth were the posterior mean; it has a variance of its own": 10
            * math.log10(n),
            "squared errors take 10 log10; 20 log10 is for amplitudes": 20 * math.log10(right),
            "that is the limit of infinitely many draws": 10 * math.log10(2),
            "one draw has 2V, not V: it and the truth both vary": 10 * math.log10(1 / (1 + 1 / n)),
        }, otherwise="the mean has V (1 + 1/n), one draw 2V")
    return "2.5 dB for eight draws, never more than 3: compare like with like"
