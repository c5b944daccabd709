"""The brain cohort: virtual subjects made by warping one template brain.

A sample is a pure function of (seed, split, index). Subjects are warps of one template, not patients.
"""
import hashlib
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from . import anatomy
from .contrast import CONTRASTS, MR, signals
from .template import Z_MAX, Z_MIN, slices

HELD_OUT_SLABS = ((0.0, 8.0), (24.0, 32.0))       # mm; no training slice lies within 1 mm of them
TRAIN_SLABS = ((Z_MIN, -1.0), (9.0, 23.0), (33.0, Z_MAX))
TEXTURE = 0.04                                     # fitted to the radial power spectrum of raw scans
SEED_BITS = 7                                      # bytes of the seed of one subject's generator


class Sample(NamedTuple):
    """A batch of the cohort: images 0 in air and about 0 to 1; label: contrast index, position in [0, 1]."""

    image: Tensor      # (b, 1, h, w), or (b, 2, h, w) real and imaginary part
    label: Tensor      # (b, 2)
    tissue: Tensor     # (b, 4, h, w): fractions of CSF, grey, white, and skull with scalp
    lesion: Tensor     # (b, 1, h, w) in [0, 1]
    head: Tensor       # (b, 1, h, w) bool: where there is tissue


def _seeded(*key) -> torch.Generator:
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=SEED_BITS).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def _cut(u: Tensor, slabs) -> Tensor:
    """Heights in mm, uniform over the union of slabs, for u in [0, 1)."""
    lengths = torch.tensor([b - a for a, b in slabs])
    ends = lengths.cumsum(0)
    at = u * ends[-1]
    k = torch.searchsorted(ends, at, right=True).clamp(max=len(slabs) - 1)
    starts = torch.tensor([a for a, _ in slabs])
    return starts[k] + at - (ends[k] - lengths[k])


def _slices_at(z: Tensor) -> Tensor:
    """Template maps (b, 3, 233, 233) at heights z, linear between slices."""
    table = slices()
    i = (z - table.z[0]).clamp(0, len(table.z) - 1.001)
    low = i.long()
    f = (i - low)[:, None, None, None]
    return torch.lerp(table.maps[low], table.maps[low + 1], f)


def label_of(contrast: str, position: float | None = None) -> Tensor:
    """The condition (2,) for `given` and `guided`: contrast index, position in [0, 1] or -1 for none."""
    if contrast not in CONTRASTS:
        raise ValueError(f"contrast {contrast!r} is not one of {', '.join(CONTRASTS)}")
    return torch.tensor([float(CONTRASTS.index(contrast)), -1.0 if position is None else float(position)])


class Brain:
    """Axial brain slices of virtual subjects [fonov2011icbm], endless and deterministic in (seed, index).

    split: "train" or "heldout" (other warps, and slabs of slices that training never sees). size: 128 or 64.
    complex: MR contrasts only, real and imaginary part with a smooth phase. lesions: one to three a subject.
    phase=False with complex=True gives an imaginary part of 0: the inverse crime that chapter 3/01 measures.
    """

    def __init__(self, split="train", size=128, seed=0, contrasts=None, *, complex=False, lesions=False,
                 phase=True):
        if split not in ("train", "heldout"):
            raise ValueError(f'split {split!r} is not "train" or "heldout"')
        if size not in (64, 128):
            raise ValueError(f"size {size} is not 64 or 128")
        contrasts = contrasts or (MR if complex else CONTRASTS)
        if complex and not set(contrasts) <= set(MR):
            raise ValueError(f"complex images have MR contrasts only ({', '.join(MR)}), got {contrasts}")
        self.split, self.size, self.seed, self.complex, self.lesions = split, size, seed, complex, lesions
        self.codes = torch.tensor([CONTRASTS.index(c) for c in contrasts])
        self.phase = phase

    def batch(self, indices) -> Sample:
        """The subjects with these indices."""
        keys = [int(i) for i in indices]
        draws = anatomy.Draws([_seeded(self.seed, self.split, i) for i in keys])
        fine = [_seeded(self.seed, self.split, i, "fine") for i in keys]     # texture and lesions
        z = _cut(draws.uniform(1)[:, 0], TRAIN_SLABS if self.split == "train" else HELD_OUT_SLABS)
        pick = (draws.uniform(1)[:, 0] * len(self.codes)).long()
        contrast = self.codes[pick.clamp(max=len(self.codes) - 1)]
        ct = contrast == CONTRASTS.index("CT")               # a CT scan always shows the skull
        skull = (draws.uniform(1)[:, 0] < 0.5) | ct
        grid = anatomy.warp(draws, 128)
        maps = F.grid_sample(_slices_at(z), grid, align_corners=False, padding_mode="border")
        fractions, lesion = self._fractions(maps, draws, skull, fine)
        image = self._render(fractions, maps, contrast, draws, fine)
        if self.complex:
            angle = anatomy.phase(draws, 128) * self.phase
            image = torch.cat([image * angle.cos(), image * angle.sin()], 1)
        csf, grey, white = fractions[:, :3].unbind(1)
        tissue = torch.stack([csf, grey, white, fractions[:, 3:6].sum(1)], 1)
        parts = image, tissue, lesion, fractions.sum(1, keepdim=True)
        if self.size == 64:
            parts = [F.avg_pool2d(p, 2) for p in parts]
        image, tissue, lesion, filled = parts
        label = torch.stack([contrast.float(), (z - Z_MIN) / (Z_MAX - Z_MIN)], 1)
        return Sample(image * (filled > 0.05), label, tissue, lesion, filled > 0.05)

    def _fractions(self, maps, draws, skull, fine):
        fractions = anatomy.tissues(maps, draws, skull)
        lesion = torch.zeros_like(fractions[:, :1])
        if self.lesions:
            lesion = anatomy.lesions(fractions[:, 2:3], fine)
            fractions = torch.cat([fractions[:, :6] * (1 - lesion), fractions[:, 6:] + lesion], 1)
        return fractions, lesion

    def _render(self, fractions, maps, contrast, draws, fine):
        """Tissue values, then what makes a scan of them: bias field, blur of the scanner, texture."""
        spread = 1 + 0.03 * draws.normal(3, fractions.shape[1]).clamp(-2, 2)
        values = signals(contrast, draws.uniform(3), spread)
        image = (fractions * values[:, :, None, None]).sum(1, keepdim=True)
        mr = (contrast < len(MR))[:, None, None, None]
        pet = (contrast == CONTRASTS.index("FDG"))[:, None, None, None]
        texture = anatomy.texture(fine, 128)
        bias = (0.08 * draws.field(1, 3, 128)).exp()
        regional = (0.10 * draws.field(1, 5, 128)).exp()
        scan = torch.where(mr, image * bias, image)
        rows = pet.flatten()
        scan[rows] = anatomy.smooth((image * regional)[rows], 1.4)           # about 6 mm wide at half maximum
        amount = torch.where(mr, TEXTURE, torch.where(pet, 0.03, 0.01))
        return (scan * (1 + amount * texture)).clamp(0, 1.5)
