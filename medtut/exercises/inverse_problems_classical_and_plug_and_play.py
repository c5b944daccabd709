"""Checkers of chapter 3/03, classical and plug-and-play reconstruction."""

import torch

from ..checks import compare, exercise


@exercise("pnp-1")
def admm_stops_at(answer):
    """answer(a, y, noise_std, s, lam) -> fixed point of plug-and-play ADMM for D(x) = a x, one number."""
    for a, y, noise, s, lam in ((0.5, 2.0, 0.4, 0.7, 1.0), (0.8, -1.0, 0.9, 0.3, 2.0)):
        pull = lam * noise**2 / s**2
        compare(
            answer(a, y, noise, s, lam),
            y / (1 + pull * (1 / a - 1)),
            known={
                "that is where RED stops; ADMM has D inside out: 1 / a - 1": y / (1 + pull * (1 - a)),
                "noise_std and s enter by their squares": y / (1 + lam * noise / s * (1 / a - 1)),
                "lam is missing": y / (1 + noise**2 / s**2 * (1 / a - 1)),
                "the noise variance belongs to the prior's side: the noisier y, the less it counts": y
                / (1 + lam * s**2 / noise**2 * (1 / a - 1)),
                "that denoises y once; it is not a fixed point": a * y,
            },
            otherwise="put D(z) = a z and the gradient (x - y) / noise_std^2 into the equation; solve for x",
        )
    return "with a = tau^2 / (tau^2 + s^2), s drops out and this is the posterior mean"


@exercise("pnp-2")
def red_over_mean(answer):
    """answer(tau, noise_std, s) -> RED's fixed point over the posterior mean, Gaussian prior."""
    for tau, noise, s in ((1.0, 0.5, 0.6), (2.0, 1.5, 1.0)):
        wide, right = tau**2 + s**2, tau**2 / (tau**2 + noise**2)
        compare(
            answer(tau, noise, s),
            wide / (wide + noise**2) / right,
            known={
                "that is RED's shrinkage; divide it by that of the posterior mean": wide / (wide + noise**2),
                "that is the other way round": right * (wide + noise**2) / wide,
                "ADMM would be right at any level; RED is not": 1.0,
                "variances add, not standard deviations": (tau + s) ** 2
                / ((tau + s) ** 2 + noise**2)
                / right,
            },
            otherwise="replace tau^2 by tau^2 + s^2 in the posterior mean, and divide by the posterior mean",
        )
    return "more than 1: a wider prior shrinks less"


@exercise("pnp-3")
def carried_over(answer):
    """answer(beta, rho, noise_std) -> (s, lam) of `pnp_admm`."""
    for beta, rho, noise in ((0.3, 2.0, 0.1), (2.0, 0.5, 0.6)):
        s, lam = (beta / rho) ** 0.5, beta / noise**2
        compare(
            tuple(torch.as_tensor(v, dtype=torch.float64) for v in answer(beta, rho, noise)),
            tuple(torch.as_tensor(v, dtype=torch.float64) for v in (s, lam)),
            known={
                "lam is beta over the noise variance, not over its root": beta / noise,
                "the noise variance divides: our misfit is theirs over noise_std^2": beta * noise**2,
                "s is a level, that is a root": beta / rho,
                "s does not depend on the noise: rho / noise_std^2 = lam / s^2, and lam has the same noise": s
                * noise,
                "that is the inverse of s: a strong tie is a small level": (rho / beta) ** 0.5,
            },
            otherwise="divide by noise_std^2: the tie becomes rho / noise_std^2, which must be lam / s^2",
        )
    return "the level of the denoiser does not know the noise of the scan"


@exercise("pnp-4")
def shrunk(answer):
    """answer(z, s, b) -> the posterior mode of a Laplace prior of width b in noise of level s."""
    z = torch.tensor([-2.0, -0.5, -0.05, 0.0, 0.3, 1.5], dtype=torch.float64)
    for s, b in ((0.4, 0.5), (0.7, 1.5)):
        cut = s**2 / b

        def soft(t):
            return z.sign() * (z.abs() - t).clamp(min=0)

        compare(
            answer(z, s, b),
            soft(cut),
            known={
                "the threshold is s^2 / b, not s / b": soft(s / b),
                "the threshold is s^2 / b: a wide prior shrinks less": soft(s**2 * b),
                "entries below the threshold become 0; they do not change sign": z - cut * z.sign(),
                "entries above the threshold move too, by the threshold": z * (z.abs() > cut),
                "mind the sign: a negative entry moves up": (z - cut).clamp(min=0),
            },
            otherwise="try z far above the threshold: the result is z - s^2 / b",
        )
    return "soft thresholding: the denoiser under compressed sensing"
