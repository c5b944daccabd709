"""Checkers of chapter 3/10, blind deblurring."""

import torch

from ..checks import compare, exercise


@exercise("blind-1")
def penalty(answer):
    """answer(positive, negative) -> |k / sum k|_1, both parts given as sums of absolute values."""
    for positive, negative in ((1.5, 0.3), (3.0, 0.0), (5.0, 1.0)):
        compare(
            answer(positive, negative),
            (positive + negative) / (positive - negative),
            known={
                "that is the norm before the kernel was divided by its sum": positive + negative,
                "that is the sum of a normalised kernel, with signs; the norm takes absolute values": 1.0,
                "a sum takes the signs along: negative taps make it smaller": (positive - negative)
                / (positive + negative),
                "that is the share of the negative lobes, without the rest": negative / (positive - negative),
            },
            otherwise="divide the sum of all absolute values by the sum with signs",
        )
    return "it is 1 for every kernel without negative taps: there the penalty has no gradient"


@exercise("blind-2")
def best_response(answer):
    """answer(power, v, s2) -> the squared response h^2 with the largest evidence of one coefficient."""
    for power, v, s2 in ((3.0, 2.0, 0.5), (10.0, 1.0, 1.0), (0.3, 2.0, 0.5)):
        right = max(0.0, (power - s2) / v)
        compare(
            answer(power, v, s2),
            right,
            known={
                "the noise has power too: subtract it": power / v,
                "a squared response is not negative: stop at 0": (power - s2) / v,
                "divide by the prior variance: the image brings it, not the kernel": max(0.0, power - s2),
                "that is the response, asked for is its square": right**0.5,
            },
            otherwise="set the derivative of p / (h^2 v + s2) + log(h^2 v + s2) with respect to h^2 to 0",
        )
    return "the evidence matches the power that was measured; joint optimisation asks for an infinite h"


@exercise("blind-3")
def straight_through(answer):
    """answer(back, m, sigma_max) -> gradient with respect to z; back = A^T (A f - y) [chihaoui2024bird]."""
    back, m, sigma_max = torch.tensor([0.3, -0.2]), 20, 3.0
    scale = (1 + sigma_max**2) ** 0.5
    compare(
        answer(back, m, sigma_max),
        2 / m * scale * back,
        known={
            "that is the gradient with respect to x at the start; z is smaller than x": 2 / m * back,
            "the derivative of a square brings a 2": scale * back / m,
            "the loss is a mean over m numbers": 2 * scale * back,
            "z and x differ by sqrt(1 + sigma_max^2), not by sigma_max": 2 / m * sigma_max * back,
            "the chain rule multiplies by d x / d z; that divides": 2 / m * back / scale,
        },
        otherwise="f(z) = x_start + constants, and x_start = sqrt(1 + sigma_max^2) z",
    )
    return "no network enters but through the residual"


@exercise("blind-4")
def sphere(answer):
    """answer(z) -> z on the sphere of radius sqrt(d), for a batch (b, c, h, w)."""
    z = torch.randn(3, 1, 4, 5, generator=torch.Generator().manual_seed(0))
    z = z * torch.tensor([1.0, 2.0, 5.0]).reshape(3, 1, 1, 1)
    unit = z / z.flatten(1).norm(dim=1).reshape(3, 1, 1, 1)
    compare(
        answer(z),
        unit * 20**0.5,
        known={
            "that is one norm for the batch: a strong sample shrinks the others": z / z.norm() * 20**0.5,
            "that is one norm for the whole batch, with the right mean": z / z.norm() * 60**0.5,
            "that is the sphere of radius 1": unit,
            "the radius is the root of the number of pixels": unit * 20,
        },
        otherwise="divide each sample by its own norm, then multiply by sqrt(20)",
    )
    return "one norm per sample, so that no sample reads another"
