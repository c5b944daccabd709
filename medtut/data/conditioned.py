"""The brain cohort with other labels: words, or the slice at low resolution. Images are those of `brain`."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..text import WORDS
from .brain import Brain, Sample

SMALL = 16  # pixels along a side of the low-resolution slice
SEEN = 4.0  # pixels' worth of lesion from which a slice of 64 x 64 is called lesioned
ONE_SIDE = 0.8  # share of the lesion from which one side is named


def describe(label: Tensor, lesion: Tensor) -> Tensor:
    """Word numbers (b, 4) of slices with `brain` labels (b, 2) and lesion maps (b, 1, h, w).

    Contrast, height, finding, side of the picture. A healthy slice has no side, and one with less lesion than
    SEEN has no finding.
    """
    contrast, position = label.unbind(1)
    height = WORDS.index("low") + (3 * position).long().clamp(0, 2)
    left, right = (half.sum((1, 2, 3)) for half in lesion.chunk(2, -1))
    amount = left + right
    none = torch.full_like(height, -1)
    finding = torch.where(amount > SEEN, WORDS.index("lesion"), none)
    finding = torch.where(amount == 0, WORDS.index("healthy"), finding)
    share = left / amount.clamp(min=1e-6)
    side = torch.where(share > ONE_SIDE, WORDS.index("left"), WORDS.index("both"))
    side = torch.where(share < 1 - ONE_SIDE, WORDS.index("right"), side)
    side = torch.where(amount > SEEN, side, none)
    return torch.stack([contrast.long(), height, finding, side], 1).float()


def reduce(image: Tensor) -> Tensor:
    """The block means of images (b, 1, h, w), SMALL x SMALL, row by row: (b, SMALL**2)."""
    return F.avg_pool2d(image, image.shape[-1] // SMALL).flatten(1)


class Described(Brain):
    """Slices told in words; every second subject has lesions."""

    told = True

    def __init__(self, split="train", size=64, seed=0, contrasts=None):
        super().__init__(split, size, seed, contrasts, lesions=True)
        self.healthy = Brain(split, size, seed, contrasts)

    def batch(self, indices) -> Sample:
        """The subjects with these indices; label: word numbers (b, 4)."""
        sick = torch.tensor([int(i) % 2 == 1 for i in indices])
        pairs = zip(super().batch(indices), self.healthy.batch(indices), strict=True)
        mixed = Sample(*(torch.where(sick.reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in pairs))
        return mixed._replace(label=describe(mixed.label, mixed.lesion))


class Reduced(Brain):
    """Slices told at low resolution; label: block means (b, SMALL**2)."""

    told = True

    def __init__(self, split="train", size=64, seed=0, contrasts=None):
        super().__init__(split, size, seed, contrasts)

    def batch(self, indices) -> Sample:
        """The subjects with these indices."""
        sample = super().batch(indices)
        return sample._replace(label=reduce(sample.image))
