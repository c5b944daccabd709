"""Blur kernels: half of them traces of a motion, half anisotropic Gaussians, for a prior of kernels.

A sample is a pure function of (seed, split, index), as in `data.brain`. The largest tap is 1, which is the
range of an image; divide by the sum to blur with one.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .brain import _seeded

POINTS = 129  # of a trace
WIDTH = 0.6  # of a trace's pen, a standard deviation in pixels


class Kernel(NamedTuple):
    """A batch: kernels with a largest tap of 1; label: no condition; head: every pixel."""

    image: Tensor  # (b, 1, size, size), the middle tap at (size // 2, size // 2)
    label: Tensor  # (b, 2), -1
    head: Tensor  # (b, 1, size, size) bool


class Kernels:
    """Kernels of size x size taps, each with its centre of mass on the middle tap.

    A motion is an arc of 2 to 13 pixels that turns by up to one radian; a Gaussian has standard deviations of
    0.6 to 3 pixels along its axes. split: "train" or "heldout": other kernels.
    """

    def __init__(self, split: str = "train", size: int = 16, seed: int = 0):
        if split not in ("train", "heldout"):
            raise ValueError(f'split {split!r} is not "train" or "heldout"')
        self.split, self.size, self.seed = split, size, seed

    def batch(self, indices) -> Kernel:
        """The kernels with these indices."""
        rng = [_seeded(self.seed, self.split, int(i), "kernel") for i in indices]
        u = torch.stack([torch.rand(4, generator=g) for g in rng])
        angle = torch.pi * u[:, 2]
        gaussian = self._gaussians(0.6 + 2.4 * u[:, 0], 0.6 + 2.4 * u[:, 1], angle)
        motion = self._motions(2 + 11 * u[:, 0], 2 * u[:, 1] - 1, angle)
        kernel = torch.where((u[:, 3] < 0.5)[:, None, None], motion, gaussian)
        kernel = (kernel / kernel.amax((-2, -1), keepdim=True))[:, None]
        return Kernel(kernel, torch.full((len(u), 2), -1.0), torch.ones_like(kernel, dtype=torch.bool))

    def _taps(self) -> Tensor:
        return torch.arange(self.size) - self.size // 2.0

    def _gaussians(self, first: Tensor, second: Tensor, angle: Tensor) -> Tensor:
        """exp of minus half the squared distance, in units of the widths along the axes, (b, size, size)."""
        c, s = angle.cos()[:, None, None], angle.sin()[:, None, None]
        column, row = self._taps()[None, None, :], self._taps()[None, :, None]
        along, across = c * column + s * row, c * row - s * column
        return (-((along / first[:, None, None]) ** 2 + (across / second[:, None, None]) ** 2) / 2).exp()

    def _motions(self, length: Tensor, bend: Tensor, angle: Tensor) -> Tensor:
        """An arc drawn by a round pen, (b, size, size): the sum of a Gaussian spot at each point."""
        heading = angle[:, None] + bend[:, None] * torch.linspace(-0.5, 0.5, POINTS)
        path = torch.stack([heading.sin(), heading.cos()]).cumsum(-1) * length[:, None] / POINTS
        path = path - path.mean(-1, keepdim=True)
        rows, columns = (
            (-((self._taps()[:, None] - p[:, None, :]) ** 2) / (2 * WIDTH**2)).exp() for p in path
        )
        return rows @ columns.mT
