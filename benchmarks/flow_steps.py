"""Samples of `brain-64` and `brain-64-flow` by the number of Euler steps, beside held-out slices.

Four seeds. Each has 24 noises, the same for both networks and all numbers of steps, and the labels of 24
held-out slices. A sample set is compared with other held-out slices; the slices whose labels were asked for
show how small the distance can get.
"""

from functools import partial
from itertools import product
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

import medtut as mt
from medtut.data.brain import Brain
from medtut.metrics import mmd2_unbiased
from medtut.samplers import ddim, last
from medtut.schedules import flow

from .features import Scale, responses
from .store import piece, write

NETWORKS = ("brain-64", "brain-64-flow")
STEPS = (1, 2, 5, 10, 20)
SEEDS, PER_SEED = 4, 24
REFERENCE = 384  # held-out slices, none of them among those whose labels are asked for
TRAINING = 384  # slices that the features' scale is fitted to
SIGMA_MAX = 80.0  # in the networks' range -1 .. 1
T95 = 3.1824  # Student's t, 97.5 %, SEEDS - 1 degrees of freedom
DRAWN_FROM = [
    *NETWORKS,
    "medtut.samplers.ancestral:ddim",
    "medtut.schedules:flow",
    "benchmarks.flow_steps:draw",
]
MADE_FROM = [
    *DRAWN_FROM,
    "medtut.data.brain:Brain",
    "medtut.metrics:mmd2_unbiased",
    "benchmarks.features:responses",
    "benchmarks.flow_steps:measure",
]


def slices(split: str, first: int, count: int) -> tuple[Tensor, Tensor]:
    """Images (n, 1, 64, 64) and labels (n, 2) of a run of the cohort."""
    batch = Brain(split, size=64).batch(range(first, first + count))
    return batch.image, batch.label


def draw(denoise, label: Tensor, seed: int, steps: int) -> Tensor:
    """One sample for each label, by Euler's method at even times of the straight path."""
    sigmas = flow(steps, SIGMA_MAX)
    z = mt.randn((len(label), 1, 64, 64), mt.generators(seed, len(label)))
    x = last(ddim(mt.given(denoise.denoise, label), sigmas, SIGMA_MAX * z))
    return (x / denoise.scale + denoise.shift).clamp(min=0)


def interval(values: list[float]) -> dict[str, float]:
    """Mean over seeds with Student's 95 % interval."""
    v = torch.tensor(values, dtype=torch.float64)
    half = T95 * float(v.std()) / len(v) ** 0.5
    return {"value": float(v.mean()), "low": float(v.mean()) - half, "high": float(v.mean()) + half}


def measure(sets: dict[str, list[Tensor]], reference: Tensor, scale: Scale) -> dict[str, list[float]]:
    """Squared MMD of each set to the reference, one for each seed."""
    target = scale(responses(reference))
    pairs = torch.cdist(target, target)
    bandwidths = pairs[pairs > 0].median().double() * torch.tensor([0.5, 1.0, 2.0])
    return {
        name: [mmd2_unbiased(scale(responses(x)), target, bandwidths) for x in parts]
        for name, parts in sets.items()
    }


def main(out: Path) -> None:
    """Draw, measure, store."""
    reference, _ = slices("heldout", 0, REFERENCE)
    scale = Scale.fit(responses(slices("train", 0, TRAINING)[0]))
    asked, label = slices("heldout", REFERENCE, SEEDS * PER_SEED)
    sets = {"held-out slices": list(asked.split(PER_SEED))}
    networks = {name: mt.load(name, "cpu") for name in NETWORKS}
    for name, steps in tqdm(list(product(NETWORKS, STEPS)), desc="samples"):
        parts = sets[f"{name} {steps}"] = []
        for seed, part in enumerate(label.split(PER_SEED)):
            make = partial(draw, networks[name], part, seed, steps)
            parts.append(piece(f"{name} {steps} {seed}", DRAWN_FROM, lambda make=make: {"x": make()})["x"])
    found = measure(sets, reference, scale)
    v, f = NETWORKS
    result = {
        "settings": {"seeds": SEEDS, "per_seed": PER_SEED, "steps": list(STEPS), "reference": REFERENCE},
        "mmd2": {name: interval(values) for name, values in found.items()},
        "flow - v": {
            str(n): interval([a - b for a, b in zip(found[f"{f} {n}"], found[f"{v} {n}"], strict=True)])
            for n in STEPS
        },
        "first_means": {name: parts[0][:2].mean((1, 2, 3)).tolist() for name, parts in sets.items()},
    }
    write(out, MADE_FROM, result)
    print("\n".join(f"{name:20s} {1e3 * row['value']:8.2f}e-3" for name, row in result["mmd2"].items()))
