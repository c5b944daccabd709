"""Phantoms: independent virtual subjects made of ellipses, where the lesson needs subjects by the number.

A sample is a pure function of (seed, split, index), as in `data.brain`. These are drawings, not anatomy.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .brain import _seeded

ORGANS = 7  # at most; each is there with chance 0.7
NUMBERS = 64  # uniform random numbers that a subject uses


class Phantom(NamedTuple):
    """A batch: images 0 in air and 0 to 1; label: no condition; head: where there is a body."""

    image: Tensor  # (b, 1, h, w)
    label: Tensor  # (b, 2), -1
    head: Tensor  # (b, 1, h, w) bool


def _ellipses(centre: Tensor, radii: Tensor, angle: Tensor, size: int) -> Tensor:
    """Soft discs (b, n, size, size) from 0 to 1, edges about a pixel wide; lengths in half image sides."""
    line = (torch.arange(size) + 0.5) / size * 2 - 1
    x, y = line[None, :] - centre[..., :1, None], line[:, None] - centre[..., 1:, None]
    c, s = angle.cos()[..., None, None], angle.sin()[..., None, None]
    u, v = (c * x + s * y) / radii[..., :1, None], (c * y - s * x) / radii[..., 1:, None]
    outside = ((u**2 + v**2).sqrt() - 1) * radii.amin(-1)[..., None, None]
    return torch.sigmoid(-outside * size * 2)


class Phantoms:
    """Bodies with a bright rim, a pair of cavities and up to seven organs, each subject on its own.

    split: "train" or "heldout": other subjects. size: of the square image.
    """

    def __init__(self, split: str = "train", size: int = 64, seed: int = 0):
        if split not in ("train", "heldout"):
            raise ValueError(f'split {split!r} is not "train" or "heldout"')
        self.split, self.size, self.seed = split, size, seed

    def batch(self, indices) -> Phantom:
        """The subjects with these indices."""
        rng = [_seeded(self.seed, self.split, int(i), "phantom") for i in indices]
        u = torch.stack([torch.rand(NUMBERS, generator=g) for g in rng])
        b, pair, organ = len(u), u[:, 8:15], u[:, 15:].reshape(len(u), 7, -1)[:, :, :ORGANS]
        middle, tilt = 0.1 * (u[:, None, :2] - 0.5), 0.5 * (u[:, 2:3] - 0.5)
        radii = 0.6 + 0.3 * u[:, None, 3:5]
        rim = 0.05 + 0.05 * u[:, 5]
        body = _ellipses(middle, radii, tilt, self.size)
        inside = _ellipses(middle, radii - rim[:, None, None], tilt, self.size)
        image = body * (0.7 + 0.3 * u[:, 6, None, None, None])
        image = image + inside * (0.3 + 0.2 * u[:, 7, None, None, None] - image)
        side = torch.tensor([-1.0, 1.0])
        turn = (2.6 * (organ[:, 0] - 0.5), 2 * torch.pi * organ[:, 1])
        reach = 0.6 * organ[:, 2].sqrt() * radii.amin(-1)
        centre = torch.stack([
            torch.cat([middle[..., 0] + side * (0.12 + 0.18 * pair[:, :1]), reach * turn[1].cos()], 1),
            torch.cat([middle[..., 1] + 0.3 * (pair[:, 1:2] - 0.5).expand(b, 2), reach * turn[1].sin()], 1),
        ], -1)  # fmt: skip
        widths = torch.stack([
            torch.cat([(0.07 + 0.1 * pair[:, 2:3]).expand(b, 2), 0.05 + 0.15 * organ[:, 3]], 1),
            torch.cat([(0.12 + 0.2 * pair[:, 3:4]).expand(b, 2), 0.05 + 0.15 * organ[:, 4]], 1),
        ], -1)  # fmt: skip
        angle = torch.cat([side * (pair[:, 4:5] - 0.5), turn[0]], 1)
        value = torch.cat([(0.1 * pair[:, 5:6]).expand(b, 2), 0.1 + 0.9 * organ[:, 5]], 1)
        there = torch.cat([torch.ones(b, 2), (organ[:, 6] < 0.7).float()], 1)
        discs = _ellipses(centre, widths, angle, self.size) * there[..., None, None]
        for k in range(discs.shape[1]):  # a later organ lies in front of an earlier one
            image = image + inside * discs[:, k : k + 1] * (value[:, k, None, None, None] - image)
        return Phantom(image, torch.full((b, 2), -1.0), body > 0.5)
