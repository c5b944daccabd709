"""Checkers of chapter 3/05, the guidance family."""

import torch

from ..checks import compare, exercise


@exercise("guide-1")
def conditional(answer):
    """answer(x0hat, c, a, y, sigma_y) -> E[x0 | y] for x0 ~ N(x0hat, c) and y = a x0 + noise."""
    for x0hat, c, a, y, noise in ((0.3, 0.5, 2.0, 1.7, 0.4), (-1.0, 2.0, 0.5, 0.9, 0.7)):
        residual = y - a * x0hat
        compare(
            answer(x0hat, c, a, y, noise),
            x0hat + c * a / (a**2 * c + noise**2) * residual,
            known={
                "c is a variance already; do not square it": x0hat
                + c**2 * a / (a**2 * c**2 + noise**2) * residual,
                "the residual comes back to image space by a, the adjoint": x0hat
                + c / (a**2 * c + noise**2) * residual,
                "sigma_y is a standard deviation; the residual has variances": x0hat
                + c * a / (a**2 * c + noise) * residual,
                "the sign is wrong: the estimate must move towards the datum": x0hat
                - c * a / (a**2 * c + noise**2) * residual,
                "that forgets that the residual also has the belief's own variance, a c a": x0hat
                + c * a / noise**2 * residual,
                "that trusts the datum fully; it has noise": y / a,
            },
            otherwise="the gain is c a / (a c a + sigma_y**2), the residual y - a x0hat",
        )
    return "a whole image does the same with matrices"


@exercise("guide-2")
def ball(answer):
    """answer(v, s) -> variance of x0 given x for the prior N(mean, v) at level s [song2023pigdm]."""
    for v, s in ((0.1, 0.5), (0.1, 3.0), (2.0, 0.7)):
        compare(
            answer(v, s),
            v * s**2 / (v + s**2),
            known={
                "that is the paper's, for a prior of variance 1": s**2 / (1 + s**2),
                "that is a standard deviation": (v * s**2 / (v + s**2)) ** 0.5,
                "that is the precision; take its inverse": 1 / v + 1 / s**2,
                "that is the variance of x, which is wider, not narrower": v + s**2,
                "s is a standard deviation, v a variance": v * s / (v + s),
                "that is the slope of the denoiser; the covariance is s**2 times it": v / (v + s**2),
            },
            otherwise="test two limits: v for a large s, and s**2 for a small one",
        )
    return "never wider than the prior, never wider than the noise"


@exercise("guide-3")
def effective_zeta(answer):
    """answer(zeta, norms) -> the zeta of each sample when one norm is taken over the batch [chung2023dps]."""
    for norms in (torch.tensor([1.0, 2.0, 3.0]), torch.tensor([3.0]), torch.full((8,), 0.5)):
        zeta, n = 0.3, len(norms)
        total = norms.square().sum().sqrt()
        compare(
            answer(zeta, norms),
            zeta * norms / total,
            known={
                "that holds for equal norms only": torch.full_like(norms, zeta / n**0.5),
                "the norms add in squares": zeta * norms / norms.sum(),
                "a mean over the batch would divide by n; a norm does not": torch.full_like(norms, zeta / n),
                "that is the zeta which was asked for, not the one they get": torch.full_like(norms, zeta),
                "the norm of the sample itself is missing: |r| grad |r| is what remains": torch.full_like(
                    norms, zeta / total
                ),
            },
            otherwise="differentiate the root of the sum of squares",
        )
    return "in a batch of 100 equal samples DPS is ten times weaker than alone"


@exercise("guide-4")
def spread(answer):
    """answer(x0hat, x, back, s) -> s^2 J back, J the Jacobian of the denoiser [rozet2024mmps]."""
    s = 1.5
    slope = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64) / (1 + s**2)
    x = torch.tensor([[0.4, -1.2]], dtype=torch.float64, requires_grad=True)
    back = torch.tensor([[1.0, -0.3]], dtype=torch.float64)
    product = back @ slope
    compare(
        answer(x @ slope, x, back, s),
        s**2 * product,
        known={
            "that is J times the vector; the covariance has a factor": product,
            "the factor is a variance: s squared": s * product,
            "that is a product of back with x0hat, not with a derivative of it": s**2 * back * (x @ slope),
            "the gradient of the sum ignores back": s**2 * torch.ones_like(back) @ slope,
        },
        otherwise="pass back as the third argument of torch.autograd.grad, and multiply by s squared",
    )
    return "one backward pass for each product, and never a matrix"
