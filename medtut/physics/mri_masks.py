"""Sampling masks in two directions of k-space, for volumes whose slices are encoded by phase both ways."""

import torch
from torch import Tensor

from ..operators import Number
from .mri import centre_columns


def poisson_mask(
    h: int,
    w: int,
    acceleration: Number,
    centre_fraction: Number = 0.08,
    growth: Number = 2.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Mask (h, w) with round(h w / acceleration) points: whole central columns, the rest a Poisson disc.

    Two points keep a distance of r (1 + growth * |k|), |k| being 0 in the centre and 1 in a corner: a
    variable density as in [dwork2021poisson], but by plain darts. r shrinks until the number is reached.
    """
    columns = centre_columns(w, acceleration, centre_fraction)
    mask = columns.expand(h, w).clone()
    missing = round(h * w / acceleration) - int(mask.sum())
    row, column = (t.flatten() for t in torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij"))
    reach = torch.hypot(2 * row / h - 1, 2 * column / w - 1) / 2**0.5
    darts = torch.randperm(h * w, generator=generator)
    darts = darts[columns[column[darts]] == 0]
    nearest, r = torch.full((h * w,), torch.inf), float(acceleration) ** 0.5
    while missing > 0:
        need = (r * (1 + growth * reach)) ** 2
        for dart in darts[nearest[darts] >= need[darts]].tolist():
            if missing > 0 and nearest[dart] >= need[dart]:
                mask[row[dart], column[dart]] = 1
                nearest = torch.minimum(nearest, (row - row[dart]) ** 2 + (column - column[dart]) ** 2)
                missing -= 1
        r *= 0.95
    return mask
