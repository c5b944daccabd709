"""Log-likelihoods by the probability-flow equation: how much it squeezes space on the way to noise."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser
from ..errors import BadInput
from ..noise import Noise, randn
from .adaptive import rk45

Image = Float[Tensor, "b *shape"]
PROBES = ("rademacher", "gaussian")


class Likelihood(NamedTuple):
    """log p of each image, and what it was made from."""

    log_prob: Tensor  # (b,) in nats: exact divergence, or the mean over the probes
    each: Tensor  # (b, k) one value for each probe; (b, 1) with the exact divergence
    latent: Tensor  # (b, ...) the state at sigma_max
    calls: Tensor  # (b,) evaluations of the denoiser


def log_likelihood(
    denoise: Denoiser,
    x: Image,
    *,
    sigma_min: float = 0.002,
    sigma_max: float = 80.0,
    mean: Tensor | float = 0.0,
    probes: int = 0,
    kind: str = "rademacher",
    rtol: float = 1e-5,
    atol: float = 1e-5,
    generator: Noise = None,
) -> Likelihood:
    """log p(x; sigma_min) = log p(x_end; sigma_max) + integral of div(dx/d log sigma) [song2021sde, eq. 39].

    dx/d log sigma = x - D, so the divergence is d minus the trace of D's Jacobian. `probes` = 0 takes the
    exact trace, by d backward passes a call; otherwise as many probes estimate it [eq. 40], as in
    [hutchinson1990trace], each drawn once and kept along the path, one backward pass each.

    At the end p is taken as N(mean, sigma_max**2 I); the paper's mean is 0. In each dimension that misses
    log p by about z m / sigma_max, z standard normal, if the data's mean is m away from it, and by about
    v / (2 sigma_max**2) for data of variance v.
    """
    if not 0 < sigma_min < sigma_max:
        raise BadInput(f"got levels {sigma_min:g} and {sigma_max:g}, need 0 < sigma_min < sigma_max.")
    b, d = len(x), x[0].numel()
    vectors = hutchinson_probes(x, probes, kind, generator) if probes else None

    def slope(log_sigma, y, rows):
        at = y[:, :d].reshape(-1, *x.shape[1:])
        mine = None if vectors is None else vectors[rows]
        x0hat, trace = value_and_trace(denoise, at, log_sigma.exp(), mine)
        return torch.cat([(at - x0hat).flatten(1), d - trace], 1)

    y = torch.cat([x.flatten(1), x.new_zeros(b, max(probes, 1))], 1)
    solved = rk45(slope, y, math.log(sigma_min), math.log(sigma_max), rtol=rtol, atol=atol)
    latent = solved.x[:, :d]
    z = (latent.reshape(x.shape) - mean).flatten(1) / sigma_max
    end = -0.5 * (z.square().sum(1) + d * math.log(2 * math.pi * sigma_max**2))
    each = end[:, None] + solved.x[:, d:]
    return Likelihood(each.mean(1), each, latent.reshape(x.shape), solved.calls)


def hutchinson_probes(x: Image, k: int, kind: str = "rademacher", generator: Noise = None) -> Tensor:
    """k random vectors for each image, (b, k, d), of mean 0 and covariance 1 [hutchinson1990trace].

    Rademacher entries are 1 or -1. For a symmetric Jacobian J the variance of v.Jv is then twice the sum of
    the squares off the diagonal; for Gaussian entries the diagonal counts too.
    """
    if kind not in PROBES:
        raise BadInput(f"got kind={kind!r}, need one of {PROBES}.")
    z = randn((len(x), k, x[0].numel()), generator, x)
    return z if kind == "gaussian" else z.sign()


@torch.enable_grad()
def value_and_trace(
    denoise: Denoiser, x: Image, sigma: Float[Tensor, " b"], probes: Tensor | None = None
) -> tuple[Tensor, Float[Tensor, "b k"]]:
    """D(x, sigma) and its Jacobian's trace: exact, (b, 1), or by probes (b, k, d), a value each, (b, k)."""
    x = x.detach().requires_grad_(True)
    x0hat = denoise(x, sigma)
    flat = x0hat.flatten(1)

    def pulled(weights):  # weights . J, one row of the product for each image
        return torch.autograd.grad((flat * weights).sum(), x, retain_graph=True)[0].flatten(1)

    if probes is None:
        unit = torch.eye(flat.shape[1], dtype=flat.dtype, device=flat.device)
        trace = sum(pulled(e)[:, j] for j, e in enumerate(unit))[:, None]
    else:
        trace = torch.stack([(pulled(v) * v).sum(1) for v in probes.unbind(1)], 1)
    return x0hat.detach(), trace.detach()


def bits_per_dim(
    log_prob: Float[Tensor, "*n"], d: int, levels: int = 1, width: float = 1.0
) -> Float[Tensor, "*n"]:
    """-log p in bits, for each of d dimensions.

    For data of `levels` grey values over a range `width` give the log density of a dequantised image, one
    spread evenly over its bins: the result bounds the bits of the discrete data from above [theis2016note].
    Without, it is a density's and may be negative.
    """
    return -log_prob / (d * math.log(2)) + math.log2(levels / width)


def dequantise(x: Image, levels: int = 256, width: float = 1.0, generator: Noise = None) -> Image:
    """Images with values in [0, width], rounded to `levels` grey values and spread evenly over their bins."""
    grey = (x / width * levels).floor().clamp(0, levels - 1)
    return (grey + torch.special.ndtr(randn(x.shape, generator, x))) / levels * width
