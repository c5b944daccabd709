"""Pairs to train a supervised reconstruction on: a fixed pool of images, a new scan of each at every step.

Masks, coil maps, their errors and noise are pure functions of (seed, step); noise is drawn on the device.
"""

import torch
from torch import Tensor

from .data.brain import Sample
from .errors import BadInput
from .operators import InverseProblem
from .physics.ct import CT, parallel_beam
from .physics.mri import MRI, cartesian_mask, coil_maps

SIZE, COILS, ACCELERATION, CENTRE, VIEWS = 128, 8, 4, 0.08, 20
MAPS = 256  # sets of coil maps that training draws from
NOISE_STD = {"mri-4x-8": 0.01, "ct-20": 0.003}  # medtut.tasks takes it from here


class Pool:
    """`count` samples of a cohort, drawn once and kept; what is asked for is taken from them."""

    def __init__(self, cohort, count: int, chunk: int = 64):
        parts = [cohort.batch(range(i, min(i + chunk, count))) for i in range(0, count, chunk)]
        self.image, self.label, self.head = (
            torch.cat([getattr(p, name) for p in parts]) for name in ("image", "label", "head")
        )

    def batch(self, indices) -> Sample:
        """The samples with these places in the pool; tissue and lesion maps are not kept."""
        i = torch.as_tensor(indices)
        return Sample(self.image[i], self.label[i], None, None, self.head[i])


class Scans:
    """New measurements of given truths for the task "mri-4x-8" or "ct-20", with a scanner's errors.

    Other seeds have other coil maps. BadInput for another task.
    """

    def __init__(self, task: str, device, seed: int = 0, maps: int = MAPS):
        if task not in NOISE_STD:
            raise BadInput(f"got a task called {task!r}, need one of {', '.join(NOISE_STD)} to train for.")
        self.task, self.device, self.coils = task, device, None
        if task.startswith("mri"):
            g = torch.Generator().manual_seed(seed)
            drawn = [coil_maps(COILS, SIZE, SIZE, g) for _ in range(maps)]
            self.coils = torch.cat(drawn).to(device)

    def operator(self, b: int, g: torch.Generator) -> MRI | CT:
        """The scan that the user believes in, for b images."""
        if self.coils is None:
            return CT(parallel_beam(SIZE, SIZE, VIEWS))
        masks = [cartesian_mask(SIZE, SIZE, ACCELERATION, CENTRE, generator=g) for _ in range(b)]
        pick = torch.randint(len(self.coils), (b,), generator=g)
        return MRI(torch.stack(masks)[:, None].to(self.device), self.coils[pick.to(self.device)])

    def problem(self, x0: Tensor, seed: int) -> InverseProblem:
        """Truths (b, c, h, w) on the device, measured; a function of the seed."""
        g = torch.Generator().manual_seed(seed)
        A = self.operator(len(x0), g)
        errors = [torch.Generator().manual_seed(seed * 1_000_003 + i) for i in range(len(x0))]
        true = A.scanner(errors)
        y = true(x0)
        there = torch.Generator(self.device).manual_seed(seed)
        shape = (*y.shape, 2) if y.is_complex() else y.shape
        n = torch.randn(shape, generator=there, device=self.device)
        n = torch.view_as_complex(n) if y.is_complex() else n
        std = NOISE_STD[self.task]
        return InverseProblem(A, y + std * true.noise(n), std)
