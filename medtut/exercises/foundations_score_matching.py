"""Checkers of chapter 1/04, score matching and Langevin dynamics."""
import torch

from ..checks import compare, exercise


@exercise("score-1")
def step(answer):
    """answer(x, x0hat, s, r, z) -> the next x of annealed Langevin dynamics [song2019ncsn, alg. 1]."""
    x, x0hat, z = torch.randn(3, 2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    s, r = 0.7, 0.3
    drift, noise = r / 2 * (x0hat - x), r**0.5 * s * z
    compare(answer(x, x0hat, s, r, z), x + drift + noise, known={
        "that is the step of the authors' code, which is twice as long": x + 2 * drift + 2**0.5 * noise,
        "the drift must be half as large: the step is alpha / 2 times the score": x + 2 * drift + noise,
        "the drift points away from the estimate": x - drift + noise,
        "the noise has the standard deviation sqrt(alpha), and alpha = r s^2": x + drift + r**0.5 * z,
        "the noise is multiplied by the root of alpha, not by alpha itself": x + drift + r * s**2 * z,
        "without the noise it is a walk to the nearest peak": x + drift,
        "s^2 cancels: the score divides by it and alpha multiplies by it": x + s**2 * drift + noise,
    }, otherwise="with r = 2 it must be x0hat + sqrt(2) s z")
    return "a part of the way to the estimate, and fresh noise"


@exercise("score-2")
def step_size(answer):
    """The `step_size` of this package for the authors' epsilon of 2e-5 at a lowest level of 0.01."""
    compare(answer, 0.4, known={
        "that is right for the paper; the code's step is twice as long": 0.2,
        "the factor 2 goes the other way: the code's alpha stands where the paper has alpha / 2": 0.1,
        "that is still epsilon: divide by the square of the lowest level": 2e-5,
        "that has the factor 2, but it still is in units of a variance: divide by sigma_L^2": 4e-5,
        "epsilon is a variance: divide by sigma_L squared, not by sigma_L": 2 * 2e-5 / 0.01,
    }, otherwise="write alpha / 2 = 2e-5 s^2 / 0.01^2 with alpha = step_size s^2")
    return "twice 2e-5 / 0.01^2"


@exercise("score-3")
def best_linear_score(answer):
    """answer(S) -> the symmetric A that minimises the implicit loss of s(x) = -A x [hyvarinen2005score]."""
    S = torch.tensor([[2.0, 0.6], [0.6, 0.5]], dtype=torch.float64)
    inverse = torch.linalg.inv(S)
    compare(answer(S), inverse, known={
        "that is the covariance itself; the score is steep where the data are narrow": S,
        "the sign stands in the model already: s(x) = -A x": -inverse,
        "that would be right if the coordinates were independent": torch.diag(1 / S.diagonal()),
        "1 / S divides entry by entry; what is needed is the inverse of a matrix": 1 / S,
    }, otherwise="set the gradient -I + (A S + S A) / 2 to zero")
    return "the score of the Gaussian with this covariance"


@exercise("score-4")
def air_noise(answer):
    """answer(s, r) -> standard deviation of a settled chain where all data agree."""
    s, r = 0.1, 1.0
    right = s / (1 - r / 4) ** 0.5
    compare(answer(s, r), right, known={
        "that is the noise of the level; the chain is wider, because its step is finite": s,
        "that is a variance": right**2,
        "that is the width in the convention of the authors' code": s / (1 - r / 2) ** 0.5,
        "the chain is wider than the level, not narrower": s * (1 - r / 4) ** 0.5,
        "the factor 1 / (1 - r / 4) belongs to the variance; take its root": s / (1 - r / 4),
    }, otherwise="put t = s^2 and alpha = r s^2 into the stationary variance, and take the root")
    return "a little wider than the level itself"
