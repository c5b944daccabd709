"""Score matching without noise: losses for a score model s(x) that need no density, only its derivatives.

`score` maps points (b, *shape) to the same shape and treats each point on its own. The losses can be
differentiated with respect to its weights. With noise, see `denoisers.denoising_loss`.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from .noise import Noise, randn_like

Points = Float[Tensor, "b *shape"]


@torch.enable_grad()
def implicit_loss(score: Callable[[Points], Points], x: Points) -> Float[Tensor, " b"]:
    """Score matching, tr(ds/dx) + |s|^2 / 2, one per point [hyvarinen2005score].

    Its mean is E|s - grad log p|^2 / 2 up to a constant. d backward passes for points of d values.
    """
    x = x.detach().requires_grad_()
    s = score(x)
    basis = torch.eye(x[0].numel()).to(x).reshape(-1, *x.shape[1:])
    trace = sum(_along(s, x, v.expand_as(x)) for v in basis)
    return trace + s.square().flatten(1).sum(1) / 2


@torch.enable_grad()
def sliced_loss(
    score: Callable[[Points], Points], x: Points, *, slices: int = 1, generator: Noise = None
) -> Float[Tensor, " b"]:
    """Sliced score matching, v (ds/dx) v + |s|^2 / 2 with v ~ N(0, I), one per point [song2020sliced].

    Unbiased for `implicit_loss`: E[v J v] = tr J. `slices` backward passes, whatever the dimension.
    """
    x = x.detach().requires_grad_()
    s = score(x)
    trace = sum(_along(s, x, randn_like(x, generator)) for _ in range(slices)) / slices
    return trace + s.square().flatten(1).sum(1) / 2


def _along(s: Points, x: Points, v: Points) -> Float[Tensor, " b"]:
    """v (ds/dx) v of each point, by one backward pass that can itself be differentiated."""
    (gradient,) = torch.autograd.grad((s * v).sum(), x, create_graph=True)
    return (gradient * v).flatten(1).sum(1)
