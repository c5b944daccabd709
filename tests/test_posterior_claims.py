"""Every posterior sampler runs on every operator that it claims, and names one that can for all others."""

import inspect
import re

import pytest
import torch
from test_posterior import g

import medtut as mt
from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.operators import InverseProblem, Operator
from medtut.physics.blur import Blur, gaussian_kernel
from medtut.physics.ct import CT, parallel_beam
from medtut.physics.mri import MRI, cartesian_mask, coil_maps
from medtut.physics.phase import PhaseRetrieval
from medtut.physics.pixels import Downsample, Inpainting
from medtut.posterior import guidance, langevin, particles, projection, spectral, splitting, variational

SHAPE = (2, 2, 6, 8)
MASK = cartesian_mask(6, 8, 2, 0.5, generator=g())


class Magnitude(Operator):
    """y = |z| for a complex image z: the phase is lost."""

    def __call__(self, x):
        return (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


OPERATORS = {  # with what they offer
    "inpainting": (Inpainting((torch.rand(6, 8, generator=g()) > 0.4).float()), {"any", "linear", "svd"}),
    "downsample": (Downsample(2), {"any", "linear", "svd"}),
    "one coil": (MRI(MASK, coil_maps(1, 6, 8)), {"any", "linear", "svd"}),
    "three coils": (MRI(MASK, coil_maps(3, 6, 8, g())), {"any", "linear"}),
    "blur": (Blur(gaussian_kernel(3, 0.6)), {"any", "linear", "svd"}),
    "parallel beam": (CT(parallel_beam(6, 8, 3)), {"any", "linear"}),
    "phase retrieval": (PhaseRetrieval(), {"any"}),
    "magnitude": (Magnitude(), {"any"}),
}
SAMPLERS = {  # what they need
    "any": [guidance.dps, langevin.score_ald, splitting.daps, variational.red_diff, particles.tds],
    "linear": [
        guidance.mcg,
        guidance.pigdm,
        guidance.moment_matching,
        langevin.preconditioned_ula,
        projection.song,
        projection.score_mri,
        projection.ddnm,
        splitting.diffpir,
        splitting.pnp_dm,
    ],
    "svd": [spectral.ddrm, spectral.ddnm_plus, particles.fps, particles.mcgdiff],
}
NEEDS = {f.__name__: (f, need) for need, found in SAMPLERS.items() for f in found}
NEEDS["dds"] = (projection.dds, "linear")
COUNTED = {"tds", "fps", "mcgdiff"}  # these have particles


def denoise(x, sigma, label=None):
    """The exact denoiser of white noise of variance 1."""
    return x / (1 + sigma**2)


def run(name, A, noise_std):
    x0 = torch.randn(SHAPE, generator=g(1))
    problem = InverseProblem(A, A(x0), noise_std)
    sigmas = sc.geometric(3, sigma_min=0.1, sigma_max=3.0)
    shape = (2, 3, *SHAPE[1:]) if name in COUNTED else SHAPE
    states = list(NEEDS[name][0](denoise, problem, sigmas, mt.start(sigmas, shape, g(2)), generator=g(3)))
    assert len(states) == 3
    assert all(s.x.shape == shape and torch.isfinite(s.x).all() for s in states)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", sorted(set(NEEDS) - {"dds"}))
def test_it_runs_or_names_one_that_does(name, operator):
    A, offers = OPERATORS[operator]
    if NEEDS[name][1] in offers:
        return run(name, A, 0.1)
    with pytest.raises(BadInput) as refusal:
        run(name, A, 0.1)
    instead = re.search(r"use (\w+)", str(refusal.value))[1]
    return run(instead, A, 0.1)


@pytest.mark.parametrize("operator", ["one coil", "magnitude"])
@pytest.mark.parametrize("name", sorted(set(NEEDS) - {"dds"}))
def test_without_noise_it_runs_or_names_one_that_does(name, operator):
    A = OPERATORS[operator][0]
    try:
        run(name, A, 0.0)
    except BadInput as refusal:
        run(re.search(r"use (\w+)", str(refusal))[1], A, 0.0)


def test_every_sampler_is_in_the_table():
    rooms = (guidance, langevin, particles, projection, spectral, splitting, variational)
    public = {
        name
        for room in rooms
        for name, f in inspect.getmembers(room, inspect.isfunction)
        if f.__module__ == room.__name__ and "problem" in inspect.signature(f).parameters and name[0] != "_"
    }
    assert public == set(NEEDS)
