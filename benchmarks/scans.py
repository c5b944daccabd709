"""The scans and methods of the reconstruction benchmark: what is measured, by whom, with which weights."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
import pydicom.data
import torch
from scipy.ndimage import binary_fill_holes
from torch import Tensor

import medtut as mt
from medtut.data.brain import Brain
from medtut.data.files import read_image
from medtut.data.geometry import AIR, plane, robust_max, to_grid
from medtut.operators import InverseProblem, simulate, to_real
from medtut.physics.mri import MRI, cartesian_mask, coil_maps, smooth_phase
from medtut.posterior import (
    cg_sense,
    dds,
    dps,
    fit_gaussian,
    gaussian_map,
    total_variation,
    zero_filled,
)
from medtut.posterior.tuned import levels
from medtut.tasks import seeded

SIZE = 128
PRIOR = "brain-128-complex"


@dataclass(frozen=True)
class Settings:
    """What all scans and methods share; noise_std is per real component, images are about 0 to 1."""

    acceleration: int = 4
    centre_fraction: float = 0.08
    noise_std: float = 0.02
    samples: int = 8
    tv_iterations: int = 200
    gaussian_rank: int = 64
    gaussian_images: int = 512


GRIDS = {  # the weights that are tried on the validation slices
    "zero filling": [0.0],
    "CG-SENSE": [0.003, 0.01, 0.03, 0.1],
    "total variation": [0.001, 0.003, 0.006, 0.012],
    "fitted Gaussian": [0.5, 1.0, 2.0],
    "DDS": [3.0, 10.0, 30.0, 100.0],
    "DPS": [1.0, 3.0, 6.0, 12.0],
}
ETAS = [0.85, 1.0, 0.95]  # of DDS; gamma is chosen at the last


@dataclass(frozen=True)
class Slices:
    """Truths (b, 2, h, w), where the head is (b, 1, h, w), labels, and a number that seeds each scan.

    label (b, 2): contrast and position, which a scanner knows of its own slices; -1 if the prior does not.
    """

    truth: Tensor
    head: Tensor
    label: Tensor
    keys: list[int]

    def __getitem__(self, part: slice) -> "Slices":
        return Slices(self.truth[part], self.head[part], self.label[part], self.keys[part])


def cohort(indices: range) -> Slices:
    """Held-out warps of the template in slabs that training never saw; each index is a virtual subject."""
    sample = Brain("heldout", complex=True).batch(indices)
    return Slices(sample.image, sample.head, sample.label, list(indices))


def real_images() -> dict[str, Slices]:
    """Real magnitude images inside installed packages, on the prior's grid, with a synthetic phase."""
    data = Path(nibabel.__file__).parent / "tests" / "data"
    files = {
        "nibabel anatomical.nii": (data / "anatomical.nii", None),
        "nibabel functional.nii": (data / "functional.nii", 0),
        "pydicom MR_small.dcm": (Path(pydicom.data.get_testdata_file("MR_small.dcm")), None),
    }
    found = {}
    for number, (name, (path, volume)) in enumerate(files.items()):
        image = read_image(path, volume=volume)
        pixels = to_grid(plane(image), SIZE, image.measured).pixels
        magnitude = torch.from_numpy(pixels / np.float32(robust_max(pixels))).clamp(min=0)
        head = torch.from_numpy(binary_fill_holes((magnitude > AIR).numpy()))
        key = 10_000 + number
        phase = smooth_phase((1, SIZE, SIZE), torch.Generator().manual_seed(key))
        truth = to_real(torch.polar(magnitude[None], phase))
        found[name] = Slices(truth, head[None, None], torch.full((1, 2), -1.0), [key])
    return found


def scan(slices: Slices, coils: int) -> InverseProblem:
    """Each slice with its own mask, coil maps and noise; the true maps differ from the known ones by 1 %."""
    s = Settings()
    masks = [
        cartesian_mask(SIZE, SIZE, s.acceleration, s.centre_fraction, generator=g)
        for g in seeded(slices.keys, 1)
    ]
    maps = [coil_maps(coils, SIZE, SIZE, g) for g in seeded(slices.keys, 2)]
    A = MRI(torch.stack(masks)[:, None], torch.cat(maps))
    return simulate(A, slices.truth, s.noise_std, seeded(slices.keys, 3))


@cache
def gaussian():
    """The Gaussian fitted to training slices."""
    train, s = Brain("train", complex=True), Settings()
    batches = [train.batch(range(i, i + 64)).image for i in range(0, s.gaussian_images, 64)]
    return fit_gaussian(torch.cat(batches), s.gaussian_rank)


@cache
def network():
    """The shipped prior on the best device."""
    return mt.load(PRIOR)


def draw(method, problem: InverseProblem, slices: Slices, samples: int, **knobs) -> Tensor:
    """Samples (b, samples, 2, h, w) of a posterior sampler on the shipped prior, told the labels."""
    sigmas = levels(method.__name__)
    each = [key * 100 + k for key in slices.keys for k in range(samples)]
    rng = seeded(each, 4)
    many = problem.repeat(samples).to(mt.device())
    told = mt.given(network(), slices.label.repeat_interleave(samples, 0).to(mt.device()))
    x = mt.start(sigmas, (len(each), 2, SIZE, SIZE), rng, like=many.y.real)
    x = mt.last(method(mt.turned(told, rng), many, sigmas, x, **knobs, generator=rng)).cpu()
    return x.reshape(len(slices.keys), samples, *x.shape[1:])


def reconstruct(name: str, problem: InverseProblem, slices: Slices, weight, samples: int = 1) -> Tensor:
    """What the method called `name` makes of the problem, (b, samples, 2, h, w); `weight` as in GRIDS.

    Of `slices` only labels and seeds are used, not the truth.
    """
    s = Settings()
    if name == "DDS":
        gamma, eta = weight
        return draw(dds, problem, slices, samples, gamma=gamma, eta=eta)
    if name == "DPS":
        return draw(dps, problem, slices, samples, zeta=weight)
    if name == "zero filling":
        x = zero_filled(problem)
    elif name == "CG-SENSE":
        x = cg_sense(problem, weight)
    elif name == "total variation":
        x = total_variation(problem, weight, s.tv_iterations)
    else:  # the fitted Gaussian, told a noise level times its weight
        x = gaussian_map(InverseProblem(problem.A, problem.y, weight * problem.noise_std), gaussian(), 15)
    return x[:, None]


def scores(x: Tensor, slices: Slices) -> dict[str, Tensor]:
    """PSNR and NRMSE per slice, (b,), in the head, on the magnitude; the data range is 1."""
    size, truth = mt.metrics.magnitude(x), mt.metrics.magnitude(slices.truth)
    return {
        "psnr": mt.metrics.psnr(size, truth, slices.head),
        "nrmse": mt.metrics.nrmse(size, truth, slices.head),
    }


def evaluate(name: str, slices: Slices, coils: int, weight, samples: int) -> dict[str, Tensor]:
    """Scores of the first sample, of the mean of all, and the chi-square of every sample, per slice."""
    problem = scan(slices, coils)
    x = reconstruct(name, problem, slices, weight, samples)
    chi = problem.repeat(samples).chi_square(x.flatten(0, 1)).reshape(len(x), samples)
    result = {"chi_square": chi, **scores(x[:, 0], slices)}
    return result | {f"mean_{key}": value for key, value in scores(x.mean(1), slices).items()}
