"""Neighbouring slices of one virtual subject, where the lesson is about volumes."""

import torch
import torch.nn.functional as F

from . import anatomy
from .brain import Brain, Sample, _seeded, _slices_at
from .contrast import CONTRASTS
from .template import Z_MAX, Z_MIN


def brain_stack(cohort: Brain, subject: int, contrast: str, heights) -> Sample:
    """Slices of one subject at `heights` in mm, in order; warp, contrast, skull and phase are the subject's.

    As `Brain.batch`, 128 x 128 and without lesions, but texture is drawn anew for every slice, so that no
    method gains from texture that repeats.
    """
    n, code = len(heights), CONTRASTS.index(contrast)
    draws = anatomy.Draws([_seeded(cohort.seed, cohort.split, subject) for _ in heights])
    fine = [_seeded(cohort.seed, cohort.split, subject, "fine", k) for k in range(n)]
    z, kind = torch.as_tensor(heights, dtype=torch.float32), torch.full((n,), code)
    draws.uniform(2)  # height and contrast, chosen above
    skull = (draws.uniform(1)[:, 0] < 0.5) | (kind == CONTRASTS.index("CT"))
    maps = F.grid_sample(_slices_at(z), anatomy.warp(draws, 128), align_corners=False, padding_mode="border")
    fractions, lesion = cohort._fractions(maps, draws, skull, fine)
    image = cohort._render(fractions, maps, kind, draws, fine)
    if cohort.complex:
        angle = anatomy.phase(draws, 128) * cohort.phase
        image = torch.cat([image * angle.cos(), image * angle.sin()], 1)
    filled = fractions.sum(1, keepdim=True) > 0.05
    label = torch.stack([kind.float(), (z - Z_MIN) / (Z_MAX - Z_MIN)], 1)
    tissue = torch.cat([fractions[:, :3], fractions[:, 3:6].sum(1, keepdim=True)], 1)
    return Sample(image * filled, label, tissue, lesion, filled)
