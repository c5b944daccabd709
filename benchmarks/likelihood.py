"""Likelihood as a score of anomaly, as results/likelihood.json: bits per dimension of slices that are
healthy, lesioned, blurred, and no brain at all.

The prior is `brain-128`; its training never saw a lesion. Each slice is rounded to 8 bits, spread evenly over
its bins, and its likelihood estimated with one probe. A lesioned slice is the healthy one of the same
subject with one to three lesions, and shares its noise and its probe.
"""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

import medtut as mt
from medtut.data.brain import Brain
from medtut.data.phantoms import Phantoms
from medtut.samplers.likelihood import bits_per_dim, dequantise, log_likelihood

from .store import piece, write

PRIOR, CONTRAST, SUBJECTS, BATCH, TOL, LEVELS = "brain-128", "FLAIR", 20, 4, 1e-3, (0.001, 40.0)
KINDS = ("healthy", "lesioned", "blurred", "phantom", "blank")
MADE_FROM = [
    "benchmarks.likelihood:pictures",
    "benchmarks.likelihood:bits",
    "medtut.samplers.likelihood:log_likelihood",
    "medtut.samplers.likelihood:hutchinson_probes",
    "medtut.samplers.likelihood:value_and_trace",
    "medtut.samplers.likelihood:dequantise",
    "medtut.samplers.likelihood:bits_per_dim",
    "medtut.samplers.adaptive:rk45",
    "medtut.data.brain:Brain",
    "medtut.data.phantoms:Phantoms",
    PRIOR,
]


def pictures(kind: str, keys: range) -> Tensor:
    """Images (b, 1, 128, 128) of one kind; those of the same keys show the same heads."""
    if kind == "phantom":
        return Phantoms("heldout", size=128).batch(keys).image
    x = Brain("heldout", size=128, contrasts=(CONTRAST,), lesions=kind == "lesioned").batch(keys).image
    if kind == "blank":
        return torch.zeros_like(x)
    return avg_pool2d(x, 3, stride=1, padding=1) if kind == "blurred" else x


def bits(kind: str, keys: range, probes: int = 1) -> dict[str, Tensor]:
    """Bits per dimension of the 8-bit images by each probe (b, probes), and calls (b,)."""
    x = dequantise(pictures(kind, keys), generator=[mt.generators(71, k + 1)[k] for k in keys])
    found = log_likelihood(
        mt.load(PRIOR, device=mt.device()), x.to(mt.device()), sigma_min=LEVELS[0], sigma_max=LEVELS[1],
        probes=probes, rtol=TOL, atol=TOL, generator=[mt.generators(72, k + 1)[k] for k in keys],
    )
    return {"bits": bits_per_dim(found.each.cpu(), x[0].numel(), 256), "calls": found.calls}


def measured(kind: str, keys: range, probes: int = 1) -> dict[str, Tensor]:
    """`bits`, or what an earlier run of the same code and weights left."""
    stem = f"likelihood_{kind}_{keys[0]}-{keys[-1]}_{probes}"
    return piece(stem, MADE_FROM, lambda: bits(kind, keys, probes))


def png_bits(x: Tensor) -> float:
    """Bits per pixel that a lossless file of the 8-bit image takes: how complex the image is."""
    grey = (x[0] * 256).floor().clamp(0, 255).to(torch.uint8).numpy()
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(grey)).save(file, "png", optimize=True)
    return 8 * file.tell() / grey.size


def main(out: Path) -> None:
    """Measure all kinds, and the spread over probes of two healthy slices."""
    rows = {}
    for kind in KINDS:
        keys = range(1) if kind == "blank" else range(SUBJECTS)
        parts = [measured(kind, keys[i : i + BATCH]) for i in range(0, len(keys), BATCH)]
        rows[kind] = {
            "bits": [round(v, 5) for p in parts for v in p["bits"][:, 0].tolist()],
            "calls": [v for p in parts for v in p["calls"].tolist()],
            "png": [round(png_bits(x), 4) for x in pictures(kind, keys)],
        }
    many = measured("healthy", range(2), 8)["bits"]
    rows["probes"] = [[round(v, 5) for v in row] for row in many.tolist()]
    settings = {"prior": PRIOR, "contrast": CONTRAST, "tolerance": TOL, "levels": list(LEVELS)}
    write(out, MADE_FROM, {"settings": settings, **rows})
