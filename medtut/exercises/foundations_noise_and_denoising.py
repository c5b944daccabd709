"""Checkers of the chapter on noise and denoising."""
import torch

from medtut.checks import compare, exercise, require


@exercise("noise-1")
def two_points(answer):
    """answer(x, sigma) -> E[x0 | x] for x0 = -1 or 1 with equal probability."""
    x = torch.tensor([-2.0, -0.3, 0.0, 0.3, 1.0])
    for sigma in (0.5, 2.0):
        compare(answer(x, sigma), torch.tanh(x / sigma**2), known={
            "divide by the variance of the noise, not by its standard deviation": torch.tanh(x / sigma),
            "the noise level must enter: with much noise the best guess is 0": torch.tanh(x),
            "that is the nearest point; the best guess is a mean of the two": torch.sign(x),
            "the factors 2 cancel: the weights differ by exp(2x / sigma**2), and tanh halves it":
                torch.tanh(2 * x / sigma**2),
        }, otherwise="write both weights, cancel what they share, and compare with tanh")
    return "a soft sign: steep when there is little noise, flat when there is much"


@exercise("noise-2")
def from_vp(answer):
    """answer(x_vp, abar) -> (x, sigma) with x = x0 + sigma * eps."""
    x_vp, abar = torch.tensor([1.0, -0.5]), 0.2
    got = answer(x_vp, abar)
    require(isinstance(got, tuple | list) and len(got) == 2, "return two values, x and sigma")
    compare(got[1], 2.0, known={
        "that is sigma squared: take the root": 4.0,
        "that is the noise of the VP state; x is not shrunk, so its noise is larger": 0.8**0.5,
        "that is the ratio of signal to noise: turn it over": 0.5,
    }, otherwise="solve abar = 1 / (1 + sigma**2) for sigma")
    compare(got[0], x_vp / abar**0.5, known={
        "the state must be rescaled too: its image is shrunk by sqrt(abar)": x_vp,
        "you shrink it once more: divide by sqrt(abar)": x_vp * abar**0.5,
        "divide by the square root of abar, not by abar": x_vp / abar,
    }, otherwise="undo the factor sqrt(abar) in front of x0")
    return "abar = 0.2 is sigma = 2: the same point on another scale"


@exercise("noise-3")
def score_and_noise(answer):
    """answer(denoise, x, sigma) -> (score, eps)."""
    x, sigma = torch.tensor([[1.0], [-2.0]]), 0.5

    def denoise(x, sigma):
        return x / (1 + sigma**2)

    eps = (x - denoise(x, sigma)) / sigma
    got = answer(denoise, x, sigma)
    require(isinstance(got, tuple | list) and len(got) == 2, "return two values, score and noise")
    compare(got[0], -eps / sigma, known={
        "the score points from x to the estimate: its sign is the other one": eps / sigma,
        "divide by sigma once more: the score is the step to the estimate over the variance": -eps,
        "that is the step to the estimate; divide it by sigma**2": -eps * sigma,
    }, otherwise="the score is (D(x, sigma) - x) / sigma**2")
    compare(got[1], eps, known={
        "noise is what was added to the estimate: x minus the estimate, not the reverse": -eps,
        "divide by sigma: eps has variance 1": eps * sigma,
    }, otherwise="solve x = x0hat + sigma * eps for eps")
    return "one network gives estimate, noise and score: three names for one output"
