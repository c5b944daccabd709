"""What the sample benchmark looks at: fixed random filters, and anatomy read off by kernel regression."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

KINDS = 16  # random filters at each scale
CENTRE = (slice(38, 90), slice(44, 84))  # rows and columns that hold the ventricles of every subject
QUANTITIES = ("ventricles", "csf", "grey", "white")


@torch.no_grad()
def responses(x: Tensor, chunk: int = 128) -> Tensor:
    """Fixed features (n, 1024) of images (n, 1, 128, 128).

    Intensity on a 16 x 16 grid, and on a 4 x 4 grid the mean size of the response to random 7 x 7 filters
    without a mean, at full, half and quarter resolution.
    """
    g = torch.Generator().manual_seed(0)
    filters = torch.randn(3, KINDS, 1, 7, 7, generator=g)
    filters = filters - filters.mean((-1, -2), keepdim=True)
    rows = []
    for part in x.split(chunk):
        found = [F.avg_pool2d(part, 8).flatten(1)]
        for scale, bank in enumerate(filters):
            size = F.conv2d(F.avg_pool2d(part, 2**scale), bank, padding=3).abs()
            found.append(F.adaptive_avg_pool2d(size, 4).flatten(1))
        rows.append(torch.cat(found, 1))
    return torch.cat(rows)


@dataclass(frozen=True)
class Scale:
    """Brings each feature to unit deviation over the training cohort; what never varies stays near 0."""

    mean: Tensor
    std: Tensor

    @classmethod
    def fit(cls, features: Tensor) -> "Scale":
        std = features.std(0)
        return cls(features.mean(0), std + 0.1 * std.median())

    def __call__(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.std


def truth(tissue: Tensor) -> Tensor:
    """QUANTITIES of tissue maps (n, 4, 128, 128), as areas in pixels (n, 4)."""
    ventricles = tissue[:, 0][(slice(None), *CENTRE)].sum((-1, -2))
    return torch.stack([ventricles, *tissue[:, :3].sum((-1, -2)).unbind(1)], 1)


class Reader:
    """Kernel ridge regression from features to QUANTITIES, fitted where the tissue is known."""

    def __init__(self, features: Tensor, areas: Tensor, ridge: float = 1e-2):
        self.features = features.double()
        self.centre, self.spread = areas.mean(0).double(), areas.std(0).double()
        self.width = torch.pdist(self.features[:500]).median()
        gram = self._kernel(self.features) + ridge * torch.eye(len(features))
        self.weights = torch.linalg.solve(gram, (areas - self.centre) / self.spread)

    def _kernel(self, features: Tensor) -> Tensor:
        return torch.exp(-0.5 * (torch.cdist(features.double(), self.features) / self.width) ** 2)

    def __call__(self, features: Tensor) -> Tensor:
        return (self._kernel(features) @ self.weights * self.spread + self.centre).float()
