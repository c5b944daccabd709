"""The standard problems of part 3: held-out anatomy, an operator, noise, and the prior that goes with them.

Truths are held-out warps of one template brain in slabs of slices that training never saw; each index is a
virtual subject. MRI, blur and CT are measured by an operator with a scanner's errors, and reconstructed
without knowing them; a mask, block means and Fourier magnitudes are known exactly, which is an inverse crime.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from .data.brain import Brain, Sample
from .denoisers import given, turned
from .errors import BadInput
from .metrics import magnitude, psnr
from .noise import Noise
from .operators import InverseProblem, simulate
from .physics.blur import Blur, gaussian_kernel, motion_kernel
from .physics.ct import CT, parallel_beam
from .physics.likelihoods import low_dose
from .physics.mri import MRI, cartesian_mask, coil_maps
from .physics.phase import PhaseRetrieval, aligned
from .physics.pixels import Downsample, Inpainting, random_mask
from .samplers import start
from .supervised import NOISE_STD
from .weights import load

SIZE = 128
PHOTONS, DEPTH = 5_000, 9.0  # of the low-dose scan: photons per ray, attenuation of value 1 over the side
MR = ["T1", "T2", "PD", "FLAIR"]


def seeded(keys: list[int], purpose: int) -> list[torch.Generator]:
    """One generator per slice and purpose, so that a slice is measured alike in any batch."""
    return [torch.Generator().manual_seed(1000 * key + purpose) for key in keys]


def _fixed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _mri(x: Tensor, keys: list[int], acceleration: int, centre: float, coils: int) -> InverseProblem:
    masks = [
        cartesian_mask(SIZE, SIZE, acceleration, centre, generator=g) for g in seeded(keys, 1)
    ]
    maps = [coil_maps(coils, SIZE, SIZE, g) for g in seeded(keys, 2)]
    A = MRI(torch.stack(masks)[:, None], torch.cat(maps))
    return simulate(A, x, NOISE_STD["mri-4x-8"], seeded(keys, 3))


def _plain(A, noise_std: float, crime: bool = False) -> Callable:
    return lambda x, keys: simulate(A(), x, noise_std, seeded(keys, 3), crime=crime)


def _pixels() -> Inpainting:
    return Inpainting(random_mask(SIZE, SIZE, 0.3, _fixed()))


def _dose(x: Tensor, keys: list[int]) -> InverseProblem:
    return low_dose(CT(parallel_beam(SIZE, SIZE, 60)), x, PHOTONS, DEPTH, seeded(keys, 3))


# name: (the scan of truths (b, c, h, w) with their keys, the prior, the contrasts)
_TASKS = {
    "inpainting": (_plain(_pixels, 0.02, True), "brain-128", MR),
    "super-resolution": (_plain(lambda: Downsample(4), 0.02, True), "brain-128", MR),
    "gaussian-blur": (_plain(lambda: Blur(gaussian_kernel(13, 2.0)), 0.02), "brain-128", MR),
    "motion-blur": (_plain(lambda: Blur(motion_kernel(15, _fixed())), 0.02), "brain-128", MR),
    "mri-4x-1": (lambda x, k: _mri(x, k, 4, 0.08, 1), "brain-128-complex", MR),
    "mri-4x-8": (lambda x, k: _mri(x, k, 4, 0.08, 8), "brain-128-complex", MR),
    "mri-8x-1": (lambda x, k: _mri(x, k, 8, 0.04, 1), "brain-128-complex", MR),
    "mri-8x-8": (lambda x, k: _mri(x, k, 8, 0.04, 8), "brain-128-complex", MR),
    "ct-60": (_plain(lambda: CT(parallel_beam(SIZE, SIZE, 60)), NOISE_STD["ct-20"]), "brain-128", ["CT"]),
    "ct-20": (_plain(lambda: CT(parallel_beam(SIZE, SIZE, 20)), NOISE_STD["ct-20"]), "brain-128", ["CT"]),
    "ct-low-dose": (_dose, "brain-128", ["CT"]),
    "phase-retrieval": (_plain(PhaseRetrieval, 0.02, True), "brain-128", MR),
}
NAMES = tuple(_TASKS)


@cache
def network(name: str, device: str) -> Callable:
    """The shipped prior, loaded once."""
    return load(name, device)


@dataclass(frozen=True, eq=False)
class Task:
    """Some slices of a task. truth (b, c, h, w) about 0 to 1; head (b, 1, h, w) bool: where it is scored.

    label (b, 2): contrast and slice position, which a scanner knows of its own slices.
    """

    name: str
    keys: list[int]
    problem: InverseProblem
    truth: Tensor
    head: Tensor
    label: Tensor

    @property
    def device(self) -> torch.device:
        return self.truth.device

    @property
    def denoise(self) -> Callable:
        """The shipped prior, told contrast and position."""
        return given(network(_TASKS[self.name][1], str(self.device)), self.label)

    def prior(self, generator: Noise = None) -> Callable:
        """`denoise`; for complex images through `mt.turned`, which the shipped prior profits from."""
        return turned(self.denoise, generator) if self.truth.shape[1] == 2 else self.denoise

    def start(self, sigmas: Tensor, generator: Noise = None, particles: int | None = None) -> Tensor:
        """The first state of a sampler, with an axis of particles if there are any."""
        b, *image = self.truth.shape
        shape = (b, *image) if particles is None else (b, particles, *image)
        return start(sigmas, shape, generator, self.truth)

    def psnr(self, x: Tensor) -> Tensor:
        """dB in the head, (b,), on the magnitude; range 1. Phase retrieval is aligned first."""
        if self.name == "phase-retrieval":
            x = aligned(x, self.truth)
        if self.truth.shape[1] == 2:
            return psnr(magnitude(x), magnitude(self.truth), self.head)
        return psnr(x, self.truth, self.head)

    def repeat(self, n: int) -> "Task":
        """Every slice n times in a row, for n samples of each."""
        parts = (t.repeat_interleave(n, 0) for t in (self.truth, self.head, self.label))
        keys = [key for key in self.keys for _ in range(n)]
        return Task(self.name, keys, self.problem.repeat(n), *parts)

    def to(self, device: torch.device | str) -> "Task":
        """The same task on another device."""
        parts = (t.to(device) for t in (self.truth, self.head, self.label))
        return Task(self.name, self.keys, self.problem.to(device), *parts)


def cohort(name: str, split: str = "heldout") -> Brain:
    """The images of a task. Raises BadInput for a name that is not in NAMES."""
    if name not in _TASKS:
        raise BadInput(f"got a task called {name!r}, need one of {', '.join(NAMES)}; use mri-4x-8.")
    _, prior, contrasts = _TASKS[name]
    return Brain(split, contrasts=contrasts, complex=prior.endswith("complex"))


def measure(name: str, sample: Sample, keys: list[int]) -> Task:
    """Task `name` on images of one's own; a key seeds the mask, coils and noise of its image."""
    problem = _TASKS[name][0](sample.image, keys)
    return Task(name, keys, problem, sample.image, sample.head, sample.label)


def make(name: str, indices) -> Task:
    """Task `name` on the held-out subjects with these indices."""
    return measure(name, cohort(name).batch(indices), list(indices))
