"""The scans of the shift benchmark: one change at a time from what the supervised network was trained for.

Held-out warps of one template brain, 4x with 8 % of the lines in the centre, 8 coils, noise 0.01: as trained.
`Changed` says what a method is told: the operator and noise level of the problem, and the label.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from medtut.data.brain import Brain
from medtut.data.phantoms import Phantoms
from medtut.operators import InverseProblem, simulate, to_real
from medtut.physics.mismatch import ColouredNoise, FineGrid, OffResonance, coil_mixing
from medtut.physics.mri import MRI, cartesian_mask, coil_maps, estimate_coils, smooth_phase
from medtut.tasks import seeded

from .scans import PRIOR, SIZE, Slices

COILS, NOISE, CENTRE = 8, 0.01, 0.08
MEASURED = [  # what these scans and their reconstructions by DiffPIR and total variation are made from
    "benchmarks.shifts:scan",
    "medtut.data.brain:Brain",
    "medtut.denoisers:turned",
    "medtut.operators:simulate",
    "medtut.physics.mismatch:ColouredNoise",
    "medtut.physics.mismatch:FineGrid",
    "medtut.physics.mismatch:OffResonance",
    "medtut.physics.mri:MRI",
    "medtut.posterior.classical:total_variation",
    "medtut.posterior.splitting:diffpir",
    PRIOR,
]


@dataclass(frozen=True)
class Changed:
    """Slices, their scan as the user believes it, and the kind of the change."""

    slices: Slices
    problem: InverseProblem


def brains(keys: list[int], **changes) -> Slices:
    """Held-out slices; the label is what a scanner knows."""
    sample = Brain("heldout", complex=True, **changes).batch(keys)
    return Slices(sample.image, sample.head, sample.label, keys)


def scan(slices: Slices, acceleration=4, centre=CENTRE, kind="random", noise=NOISE, coils=COILS) -> MRI:
    """The operator that the user believes in: a mask and coil maps for each slice."""
    masks = [
        cartesian_mask(SIZE, SIZE, acceleration, centre, kind, generator=g) for g in seeded(slices.keys, 1)
    ]
    maps = [coil_maps(coils, SIZE, SIZE, g) for g in seeded(slices.keys, 2)]
    return MRI(torch.stack(masks)[:, None], torch.cat(maps))


def known(noise: float = NOISE, **changes) -> Callable:
    """A scan that differs in what the user knows: mask, acceleration, coils, noise level."""

    def make(keys: list[int]) -> Changed:
        slices = brains(keys)
        problem = simulate(scan(slices, **changes), slices.truth, noise, seeded(keys, 3))
        return Changed(slices, problem)

    return make


def pictured(draw: Callable) -> Callable:
    """The scan as trained, of other images: draw(keys) -> Slices."""

    def make(keys: list[int]) -> Changed:
        slices = draw(keys)
        return Changed(slices, simulate(scan(slices), slices.truth, NOISE, seeded(keys, 3)))

    return make


def with_phase(size: Tensor, head: Tensor, keys: list[int]) -> Slices:
    """Magnitudes (b, 1, h, w) with a smooth phase; no label."""
    phase = torch.cat([smooth_phase((1, SIZE, SIZE), g) for g in seeded(keys, 5)])
    return Slices(to_real(torch.polar(size[:, 0], phase)), head, torch.full((len(keys), 2), -1.0), keys)


def inverted(keys: list[int]) -> Slices:
    """T1-like slices whose grey values are turned round, dark to bright, inside the head."""
    sample = Brain("heldout", contrasts=["T1"]).batch(keys)
    return with_phase((0.9 - sample.image).clamp(min=0) * sample.head, sample.head, keys)


def tracer(keys: list[int]) -> Slices:
    """FDG-like slices, which no MRI scanner makes, with a phase."""
    sample = Brain("heldout", contrasts=["FDG"]).batch(keys)
    return with_phase(sample.image, sample.head, keys)


def phantoms(keys: list[int]) -> Slices:
    """Ellipses with a phase: another anatomy."""
    sample = Phantoms("heldout", SIZE).batch(keys)
    return with_phase(sample.image, sample.head, keys)


def scanner(worse: Callable) -> Callable:
    """The scan as trained, measured by worse(A, slices) -> operator, of which the user knows nothing."""

    def make(keys: list[int]) -> Changed:
        slices = brains(keys)
        A = scan(slices)
        return Changed(slices, simulate(worse(A, slices), slices.truth, NOISE, seeded(keys, 3), A_recon=A))

    return make


def off_resonance(A: MRI, slices: Slices) -> OffResonance:
    """A smooth field that displaces by about a pixel."""
    field = torch.cat([smooth_phase((1, SIZE, SIZE), g) for g in seeded(slices.keys, 6)])
    return OffResonance(A.scanner(seeded(slices.keys, 3)), field / 1.5)


def coloured(A: MRI, slices: Slices) -> ColouredNoise:
    """Coils that share noise."""
    g = torch.Generator().manual_seed(7)
    return ColouredNoise(A.scanner(seeded(slices.keys, 3)), coil_mixing(COILS, 1.0, g))


def fine_grid(keys: list[int]) -> Changed:
    """The head measured from twice as many pixels each way; the truth is the block means."""
    slices = brains(keys)
    fine = F.interpolate(slices.truth, scale_factor=2, mode="bicubic")
    truth = Slices(F.avg_pool2d(fine, 2), slices.head, slices.label, keys)
    A = scan(truth)
    return Changed(truth, simulate(FineGrid(A, 2), fine, NOISE, seeded(keys, 3), A_recon=A))


def estimated_maps(keys: list[int]) -> Changed:
    """Coil maps from the centre lines of the data."""
    changed = known()(keys)
    A, y = changed.problem.A, changed.problem.y
    maps = torch.cat([estimate_coils(y[i : i + 1], A.mask[i : i + 1]) for i in range(len(keys))])
    return Changed(changed.slices, InverseProblem(MRI(A.mask, maps), y, NOISE))


# name: (kind, keys -> Changed); the user is told of a known change, and of no other
SHIFTS = {
    "as trained": ("none", known()),
    "Gaussian mask": ("known", known(kind="gaussian")),
    "uniform mask": ("known", known(kind="uniform")),
    "2x": ("known", known(acceleration=2)),
    "8x": ("known", known(acceleration=8, centre=0.04)),
    "4 coils": ("known", known(coils=4)),
    "noise 0.003": ("known", known(noise=0.003)),
    "noise 0.03": ("known", known(noise=0.03)),
    "noise 0.1": ("known", known(noise=0.1)),
    "with lesions": ("image", pictured(lambda keys: brains(keys, lesions=True))),
    "inverted T1": ("image", pictured(inverted)),
    "FDG-like": ("image", pictured(tracer)),
    "ellipses": ("image", pictured(phantoms)),
    "estimated maps": ("unknown", estimated_maps),
    "coloured noise": ("unknown", scanner(coloured)),
    "off-resonance": ("unknown", scanner(off_resonance)),
    "finer grid": ("unknown", fine_grid),
}
