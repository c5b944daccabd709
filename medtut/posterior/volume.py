"""A volume from a prior of slices: what lies between the slices is told by a classical penalty."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from ..operators import InverseProblem, Number, conjugate_gradient
from ..samplers import State
from .steps import linear


def between(x: Tensor) -> Tensor:
    """Differences of neighbouring slices: (d, c, h, w) -> (d - 1, c, h, w)."""
    return x[1:] - x[:-1]


def between_adjoint(p: Tensor) -> Tensor:
    """The adjoint of `between`."""
    x = p.new_zeros(len(p) + 1, *p.shape[1:])
    x[1:] += p
    x[:-1] -= p
    return x


def shrink(x: Tensor, threshold: Number) -> Tensor:
    """Every entry moved towards 0 by the threshold, and no further."""
    return x.sign() * (x.abs() - threshold).clamp(min=0)


@torch.no_grad()
def dds_volume(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    gamma: Number = 1.0,
    rho: Number = 0.5,
    lam: Number = 0.01,
    cg_steps: int = 5,
    eta: Number = 0.85,
    generator: Noise = None,
) -> Iterator[State]:
    """DDS with total variation between slices, as in DiffusionMBIR [chung2023diffusionmbir,chung2024dds].

    x: (d, c, h, w), the batch axis being the slices of one volume in order. After the denoiser, which sees
    slices, one step of ADMM on gamma/2 |A x - y|^2 + 1/2 |x - x0hat|^2 + lam |differences|_1; its split and
    dual variables are kept from level to level, as in the authors' code. There rho = 10, lam = 0.04 go with
    gamma = 1 and no term |x - x0hat|^2. lam = rho = 0 is `dds`. Targets a point between posterior and
    penalty. Linear operators only.
    """
    A, back = linear(problem, "dds_volume"), problem.A.adjoint(problem.y)
    split = dual = torch.zeros_like(between(x))

    def gram(v: Tensor) -> Tensor:  # one sample of conjugate gradients is the whole volume
        v = v[0]
        return (v + gamma * A.gram(v) + rho * between_adjoint(between(v)))[None]

    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)  # Tweedie, slice by slice
        eps = (x - x0hat) / s
        right = x0hat + gamma * back + rho * between_adjoint(split - dual)
        x0hat = conjugate_gradient(gram, right[None], x0hat[None], cg_steps)[0]
        if rho > 0:
            split = shrink(between(x0hat) + dual, lam / rho)
            dual = dual + between(x0hat) - split
        x = x0hat + s_next * (1 - eta**2) ** 0.5 * eps
        if eta > 0 and s_next > 0:
            x = x + s_next * eta * randn_like(x, generator)
        yield State(i, s_next, x, x0hat)
