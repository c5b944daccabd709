"""Checkers of the chapter on DDPM."""
import torch

from medtut.checks import compare, exercise, require


@exercise("ddpm-1")
def step_back(answer):
    """answer(x, x0, s, s_next) -> mean and variance of q(x_next | x, x0)."""
    x, x0 = torch.tensor([3.0, -1.0]), torch.tensor([1.0, 0.5])
    got = answer(x, x0, 2.0, 1.0)
    require(isinstance(got, tuple | list) and len(got) == 2, "return two values, mean and variance")
    compare(got[0], x0 + 0.25 * (x - x0), known={
        "that is DDIM's step: use the ratio of the variances, not of the levels": x0 + 0.5 * (x - x0),
        "the weights are the wrong way round: near the end the mean lies near x0": x + 0.25 * (x0 - x),
        "that is x itself: the step back must use x0": x,
    }, otherwise="add the precisions 1/s_next**2 and 1/(s**2 - s_next**2), and weigh x0 and x by them")
    compare(got[1], 0.75, known={
        "that is the forward step's variance; the step back is narrower, because it also knows x0": 3.0,
        "return the variance, not the standard deviation": 0.75**0.5,
        "that is the variance of x_next given x0 alone; x tells more": 1.0,
    }, otherwise="the variance is one over the sum of the two precisions")
    return "mean and variance of algorithm 2, for any two levels"


@exercise("ddpm-2")
def beta_of_jump(answer):
    """answer(abar_t, abar_r) -> 1 - abar_t / abar_r."""
    for t, r in ((0.1, 0.4), (0.5, 0.8)):
        compare(answer(t, r), 1 - t / r, known={
            "that is the noise since time 0; the jump starts at r": 1 - t,
            "that is alpha of the jump; beta is what is missing to 1": t / r,
            "signal shares multiply, they do not subtract": r - t,
            "turn the fraction over: abar falls with time, and beta must be positive": 1 - r / t,
        }, otherwise="alpha of the jump is abar_t / abar_r")
    return "with r = t - 1 it is the paper's beta; with r further back it is the right stride"


@exercise("ddpm-3")
def x0hat_from_v(answer):
    """answer(x, v, sigma) -> x0."""
    x0, eps = torch.tensor([0.3, -1.0]), torch.tensor([1.0, 0.4])
    for sigma in (0.5, 3.0):
        x, root = x0 + sigma * eps, (1 + sigma**2) ** 0.5
        v = (eps - sigma * x0) / root
        compare(answer(x, v, sigma), x0, known={
            "the sign of v is wrong: at high noise v is almost minus x0": x / root**2 + sigma / root * v,
            "that treats v as noise": x - sigma * v,
            "x is not on the VP scale: its coefficient is 1 / (1 + sigma**2)": x / root - sigma / root * v,
            "the factor of v has a root: sigma / sqrt(1 + sigma**2)": x / root**2 - sigma / root**2 * v,
        }, otherwise="check the limits: sigma = 0 gives x, and sigma to infinity gives -v")
    return "the row `v` of the table: c_skip = 1 / (1 + sigma**2), c_out = -sigma / sqrt(1 + sigma**2)"
