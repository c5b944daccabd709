"""Supervised reconstruction: networks that map a measurement to one image, trained on pairs.

They are what a diffusion prior is compared with: the best that an equal network can learn for one scan,
and bound to it.
"""

import math

import torch
from torch import Tensor, nn

from .errors import BadInput
from .nets import BrainNet
from .operators import InverseProblem, LinearOperator
from .physics.ct import CT, fbp


class Unrolled(nn.Module):
    """A few rounds of "network, then data" with shared weights, after MoDL [aggarwal2019modl].

    A round adds the network's correction, z = x + F(x), and solves min |A x - y|^2 + rho |x - z|^2 by `cg`
    steps of conjugate gradients; rho is learnt, A is the problem's own. Two departures from the paper: the
    network sees contrast, position and coordinates, and the gradient runs through the few steps. Takes any
    linear operator on images of `channels` channels; x_net = (x - shift) * scale is the network's range.
    """

    def __init__(self, trunk: dict, rounds: int = 5, cg: int = 6, shift: float = 0.0, scale: float = 1.0):
        super().__init__()
        self.trunk, self.rounds, self.cg, self.shift, self.scale = BrainNet(**trunk), rounds, cg, shift, scale
        self.log_rho = nn.Parameter(torch.tensor(math.log(0.05)))

    def forward(self, problem: InverseProblem, label: Tensor | None = None) -> Tensor:
        """x (b, c, h, w) in physical units."""
        if not isinstance(problem.A, LinearOperator):
            raise BadInput(
                f"got {type(problem.A).__name__}, need a linear one; use a posterior sampler."
            )
        with plain(problem):
            x = problem.A.adjoint(problem.y)
        for _ in range(self.rounds):
            z = x + correction(self, x, label)
            with plain(problem):
                x = problem.A.prox(z, problem.y, self.log_rho.exp().expand(len(z)), self.cg)
        return x


class AfterFBP(nn.Module):
    """Filtered back-projection and one correction by the network [jin2017fbpconvnet]."""

    def __init__(self, trunk: dict, shift: float = 0.0, scale: float = 1.0):
        super().__init__()
        self.trunk, self.shift, self.scale = BrainNet(**trunk), shift, scale

    def forward(self, problem: InverseProblem, label: Tensor | None = None) -> Tensor:
        """x (b, c, h, w) in physical units."""
        if not isinstance(problem.A, CT):
            raise BadInput(f"got {type(problem.A).__name__}, need CT; use a posterior sampler.")
        with plain(problem):
            x = fbp(problem.A, problem.y)
        return x + correction(self, x, label)


def plain(problem: InverseProblem) -> torch.autocast:
    """Full precision, for the operator: autocast is for the network alone."""
    return torch.autocast(problem.y.device.type, enabled=False)


def correction(net: Unrolled | AfterFBP, x: Tensor, label: Tensor | None) -> Tensor:
    """What the trunk adds to x; its clock stands still."""
    seen = (x - net.shift) * net.scale
    return net.trunk(seen, x.new_zeros(len(x)), label=label) / net.scale


class Reconstructor(nn.Module):
    """A supervised network as `mt.load` returns it: reconstruct(problem) -> x, (b, c, h, w), no samples.

    label (b, 2): contrast and slice position as for a denoiser; None if the network is told neither. One
    answer per measurement, about the posterior mean; another noise level or operator is not noticed.
    """

    def __init__(self, net: Unrolled | AfterFBP):
        super().__init__()
        self.net = net

    def forward(self, problem: InverseProblem, label: Tensor | None = None) -> Tensor:
        """The reconstruction, in physical units."""
        return self.net(problem, None if label is None else label.to(problem.y.device))


RECONSTRUCTORS = {net.__name__: net for net in (Unrolled, AfterFBP)}
