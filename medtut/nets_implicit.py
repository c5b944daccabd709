"""Coordinate networks: an image as a function of position, fitted to that one image and to no other."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from .errors import BadInput
from .noise import Noise, randn

ACTIVATIONS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "relu": lambda h, omega: h.relu(),
    "fourier": lambda h, omega: h.relu(),  # of encoded positions
    "sine": lambda h, omega: (omega * h).sin(),
    "gabor": lambda h, omega: (omega * h).cos() * (-((omega * h / 3) ** 2)).exp(),
}


def encode(position: Tensor, octaves: int = 5) -> Tensor:
    """Positions and their sines and cosines at 1, 2, 4, ... half-waves a side [mildenhall2020nerf].

    (n, d) -> (n, d + 2 d octaves).
    """
    angle = math.pi * position[:, None] * 2.0 ** torch.arange(octaves).to(position)[:, None]
    return torch.cat([position, angle.sin().flatten(1), angle.cos().flatten(1)], 1)


class Implicit(nn.Module):
    """A batch of coordinate networks, one for each image: called without an argument it draws them.

    shape: (b, c, h, w). activation: "relu"; "fourier", the same on encoded positions; "sine"
    [sitzmann2020siren]; "gabor", a real wavelet [saragadam2023wire]. omega, for the last two: the highest
    frequency that the first layer starts with, in radians a side. Weights are drawn for each image.
    """

    def __init__(
        self,
        shape: Sequence[int],
        activation: str = "sine",
        width: int = 64,
        hidden: int = 2,
        omega: float = 20.0,
        generator: Noise = None,
    ):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise BadInput(
                f"got an activation called {activation!r}, need one of {', '.join(ACTIVATIONS)}; use sine."
            )
        b, c, h, w = shape
        self.shape, self.activation, self.omega = tuple(shape), activation, omega
        y, x = (torch.linspace(-1, 1, n) for n in (h, w))
        position = torch.stack(torch.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2)
        self.register_buffer("inputs", encode(position) if activation == "fourier" else position)
        sizes = [self.inputs.shape[1], *[width] * (hidden + 1), c]
        waves = activation in ("sine", "gabor")
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for i, (n, m) in enumerate(pairwise(sizes)):
            # waves: uniform in +-1 / n, then +-sqrt(6 / n) / omega; else He's Gaussian
            u = 2 * torch.special.ndtr(randn((b, n + 1, m), generator)) - 1
            size = (1 / n if i == 0 else (6 / n) ** 0.5 / omega) if waves else (6 / n) ** 0.5
            self.weights.append(nn.Parameter(size * u[:, :-1]))
            self.biases.append(nn.Parameter(size * u[:, -1:]))

    def forward(self) -> Tensor:
        """The images, (b, c, h, w)."""
        value = self.inputs
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            value = ACTIVATIONS[self.activation](value @ weight + bias, self.omega)
        value = value @ self.weights[-1] + self.biases[-1]
        return value.mT.reshape(self.shape)
