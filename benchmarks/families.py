"""What the six families of `families-32` draw and know: 64 draws each beside new subjects and two controls.

Neighbour ratio: the distance of a draw to the nearest of the training slices, over that to the nearest of as
many slices that no family has seen; the median over draws. Copies have 0, and new subjects about 1.
"""

from pathlib import Path

import torch
from torch import Tensor

import medtut as mt
from medtut.families import bits_per_dim, dequantise, quantise
from medtut.metrics import radial_power_spectrum
from medtut.nets_families import GREY_LEVELS
from medtut.recipes.families import NEW, TRAINING, slices

from .store import piece, write

N, CALLS = 64, 50
FINE = 0.2  # cycles per pixel: blur takes what lies above
DRAWN_FROM = ["families-32", "benchmarks.families:draw"]
MADE_FROM = [
    *DRAWN_FROM,
    "medtut.data.brain:Brain",
    "medtut.recipes.families:slices",
    "benchmarks.families:row",
    "benchmarks.families:bits",
]


def cohort(first: int, count: int) -> Tensor:
    """Grey levels of a run of subjects."""
    names = ["medtut.data.brain:Brain", "medtut.recipes.families:slices"]
    return piece(f"slices {first} {count}", names, lambda: {"k": slices(first, count)})["k"]


@torch.no_grad()
def draw(model: torch.nn.Module) -> Tensor:
    """N draws, in [-1, 1]."""
    return model.sample(N, torch.Generator().manual_seed(0))


def seen(x: Tensor) -> Tensor:
    """Draws as grey levels between 0 and 1, as the data are: finer values tell families apart too easily."""
    return quantise(x.clamp(-1, 1), GREY_LEVELS).float() / (GREY_LEVELS - 1)


def fine(x: Tensor) -> float:
    """Mean power above FINE."""
    frequency, power = radial_power_spectrum(x)
    return power[:, frequency > FINE].mean().item()


def nearest(x: Tensor, others: Tensor) -> Tensor:
    """Distance to the nearest of the others, (n,)."""
    return torch.cdist(x.flatten(1), others.flatten(1)).amin(1)


def row(x: Tensor, known: dict[str, Tensor]) -> dict:
    """Memorisation, blur and spread of a set of grey images."""
    ratio = nearest(x, known["training"]) / nearest(x, known["others"])
    return {
        "neighbour_ratio": ratio.median().item(),
        "distance": nearest(x, known["others"]).median().item(),
        "fine_power": fine(x) / fine(known["new"]),
        "variance": x.var(0).mean().item() / known["new"].var(0).mean().item(),
    }


@torch.no_grad()
def bits(model: torch.nn.Module, k: Tensor) -> list[float] | None:
    """Bits per pixel of each image, exact or a bound; None where a family gives neither."""
    generator = torch.Generator().manual_seed(0)
    x = dequantise(k, GREY_LEVELS, generator)
    if hasattr(model, "log_prob"):
        return bits_per_dim(model.log_prob(x), 1024, GREY_LEVELS).tolist()
    if hasattr(model, "bound"):
        nats = torch.cat([model.bound(part, generator) for part in x.split(32)])
        return bits_per_dim(nats, 1024, GREY_LEVELS).tolist()
    return None


def main(out: Path) -> None:
    """Draw, measure, store."""
    models = mt.load("families-32", device="cpu")
    training, others, new = cohort(0, TRAINING), cohort(NEW + N, TRAINING), cohort(NEW, N)
    known = {"training": training, "others": others, "new": new}
    grey = {name: k.float() / (GREY_LEVELS - 1) for name, k in known.items()}
    images = {name: piece(name, DRAWN_FROM, lambda m=m: {"x": draw(m)})["x"] for name, m in models.items()}
    images = {name: seen(x) for name, x in images.items()}
    with torch.no_grad():
        mean = models["VAE"].sample(N, torch.Generator().manual_seed(0), noise=False)
    images |= {"VAE, mean only": seen(mean)}
    images |= {"training copies": grey["training"][:N], "new subjects": grey["new"]}
    rows = {name: row(x, grey) for name, x in images.items()}
    for name, model in models.items():
        rows[name]["bits"] = {"training": bits(model, training[:N]), "new": bits(model, new)}
        rows[name]["first_mean"] = images[name][:4].mean().item()
        print(name, {k: v for k, v in rows[name].items() if k != "bits"})
    write(out, MADE_FROM, {"settings": {"draws": N, "calls": CALLS, "fine": FINE}, "rows": rows})
