"""One small denoiser trained many times, with one choice changed at a time, over three seeds.

T1 slices of the cohort as block means, 32 x 32; the same network, number of steps, learning rate and noise in
all runs but for what a row's name says. Intervals are over seeds: one network, and warps of one brain.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import torch
import torch.nn.functional as F
from scipy.stats import t as student
from torch import Tensor, nn
from tqdm.auto import tqdm

import medtut as mt
from medtut import denoisers, schedules, weightings
from medtut.data.brain import Brain
from medtut.metrics import mmd2_unbiased, psnr
from medtut.nets import TinyUNet

from .store import piece, write

STEPS, BATCH, RATE, WARMUP = 500, 16, 3e-3, 25
SEEDS = (0, 1, 2)
TRAINING, HELD_OUT, REFERENCE, SAMPLES = 512, 64, 128, 64
NEVER_SEEN = 10_000_000  # indices that no training reaches
LOW, HIGH = 0.01, 40.0  # training levels, in the network's range
SCORED = (0.05, 0.15, 0.5, 1.5)  # physical units
AVERAGES = {"0.99 with warm-up": None, "none": 0.0, "0.9": 0.9, "0.97": 0.97, "0.99": 0.99, "0.999": 0.999,
            "0.9999": 0.9999}  # fmt: skip
MAIN, BASE = "0.99 with warm-up", "v, uniform angle"
V = denoisers.v()
FIRST = 20  # steps whose losses are stored one by one
MADE_FROM = [
    "benchmarks.training:Variant",
    "benchmarks.training:Patched",
    "benchmarks.training:variants",
    "benchmarks.training:slices",
    "benchmarks.training:network",
    "benchmarks.training:train",
    "benchmarks.training:score",
    "benchmarks.training:run",
    "medtut.nets:TinyUNet",
    "medtut.denoisers:denoising_loss",
    "medtut.weightings:weighted_loss",
    "medtut.weightings:plain",
    "medtut.schedules:stratified_cosine",
    "medtut.samplers.ancestral:ddim",
    "medtut.metrics:mmd2_unbiased",
    "medtut.data.brain:Brain",
]


@dataclass(frozen=True)
class Variant:
    """What a row of the table may change; the defaults are the base row."""

    row: denoisers.Precond = V
    weight: Callable | None = None  # of |x0 - x0hat|**2; None: 1 on the network's own target
    levels: Callable | None = None  # b, generator -> sigma; None: stratified uniform angles
    shift: float = 0.5
    scale: float = 2.0
    coordinates: bool = True
    patch: int = 2
    steps: int = STEPS
    decay: bool = True


class Patched(nn.Module):
    """TinyUNet behind a pixel-unshuffle: for patch 2 it sees an image of a quarter of the pixels."""

    def __init__(self, patch: int, coordinates: bool):
        super().__init__()
        self.patch, self.inner = patch, TinyUNet(patch**2, 16)
        if not coordinates:  # their weights are 0 and stay so
            weight = self.inner.stem.weight
            mask = torch.ones_like(weight)
            mask[:, patch**2 :] = 0
            weight.data *= mask
            weight.register_hook(lambda gradient: gradient * mask)

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        return F.pixel_shuffle(self.inner(F.pixel_unshuffle(x, self.patch), c_noise, label), self.patch)


def variants() -> dict[str, dict[str, Variant]]:
    """The rows by group."""
    d, w = denoisers, weightings
    return {
        "base": {BASE: Variant()},
        "target": {"eps": Variant(d.eps()), "x0": Variant(d.x0()), "flow": Variant(d.flow()),
                   "EDM, sd 0.6": Variant(d.edm(0.6)),
                   "eps, weighted as v": Variant(d.eps(), w.plain(V)),
                   "x0, weighted as v": Variant(d.x0(), w.plain(V))},
    }  # fmt: skip


@cache
def slices(split: str, first: int, count: int) -> tuple[Tensor, Tensor]:
    """T1 slices (n, 1, 32, 32) in physical units, and where the head fills at least half of a pixel."""
    cohort = Brain(split, size=64, contrasts=("T1",))
    parts = [cohort.batch(range(i, min(i + 64, first + count))) for i in range(first, first + count, 64)]
    image, head = (torch.cat([getattr(part, name).float() for part in parts]) for name in ("image", "head"))
    return F.avg_pool2d(image, 2), F.avg_pool2d(head, 2) >= 0.5


def network(variant: Variant, seed: int) -> Patched:
    """The untrained network."""
    torch.manual_seed(seed)
    return Patched(variant.patch, variant.coordinates)


def train(variant: Variant, seed: int, stop: int | None = None) -> tuple[dict[str, dict], Tensor]:
    """Weights by kind of average, and the loss of every step; `stop` breaks off early."""
    images = (slices("train", 0, TRAINING)[0] - variant.shift) * variant.scale
    net = network(variant, seed)
    model = mt.Preconditioned(net, variant.row)
    weight = variant.weight or weightings.plain(variant.row)
    levels = variant.levels or partial(schedules.stratified_cosine, sigma_min=LOW, sigma_max=HIGH)
    optimiser = torch.optim.Adam(net.parameters(), RATE, betas=(0.9, 0.99))
    kept = {name: {k: p.detach().clone() for k, p in net.named_parameters()} for name in AVERAGES}
    g, losses = torch.Generator().manual_seed(1000 + seed), []
    for step in range(stop or variant.steps):
        fall = 0.5 * (1 + torch.tensor(torch.pi * step / variant.steps).cos().item()) if variant.decay else 1
        optimiser.param_groups[0]["lr"] = RATE * fall * min(1, (step + 1) / WARMUP)
        x0 = images[torch.randint(TRAINING, (BATCH,), generator=g)]
        sigma = levels(BATCH, g).float()
        loss = weightings.weighted_loss(model, x0, sigma, weight, generator=g).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        for name, decay in AVERAGES.items():
            used = min(0.99, (1 + step) / (10 + step)) if decay is None else decay
            for key, p in net.named_parameters():
                kept[name][key].lerp_(p.detach(), 1 - used)
    return kept, torch.tensor(losses)


@torch.no_grad()
def score(variant: Variant, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Held-out PSNR in the head by noise level, MMD^2 of samples to fresh slices, and their brightness."""
    net = network(variant, 0).eval()
    net.load_state_dict(weights)
    denoise = mt.Ranged(mt.Preconditioned(net, variant.row), variant.shift, variant.scale)
    truth, head = slices("heldout", 0, HELD_OUT)
    quality = []
    for i, s in enumerate(SCORED):
        x = truth + s * mt.randn_like(truth, torch.Generator().manual_seed(i))
        quality.append(psnr(denoise(x, s), truth, head).mean())
    levels = schedules.cosine(30, 0.02, 10.0)
    start = mt.start(levels, (SAMPLES, 1, 32, 32), torch.Generator().manual_seed(10))
    drawn = mt.last(mt.ddim(denoise, levels, start, eta=1.0, generator=torch.Generator().manual_seed(11)))
    fresh, _ = slices("train", NEVER_SEEN, REFERENCE)
    size = torch.pdist(fresh.flatten(1)).median() * torch.tensor([0.25, 0.5, 1, 2, 4])
    mmd2 = mmd2_unbiased(drawn.clamp(-1, 2), fresh, size)
    return {"psnr": torch.stack(quality), "mmd2": torch.tensor(mmd2), "brightness": drawn.mean()}


def run(variant: Variant, seed: int, every_average: bool) -> dict[str, Tensor]:
    """Train once and score; where asked, with every kind of average."""
    start = time.process_time()
    kept, losses = train(variant, seed)
    found = {"seconds": torch.tensor(time.process_time() - start), "losses": losses}
    for name in AVERAGES if every_average else [MAIN]:
        found |= {f"{name}: {key}": value for key, value in score(variant, kept[name]).items()}
    return found


def interval(values: list[float]) -> dict[str, float]:
    """Mean of one value a seed, with Student's 95 % interval."""
    x = torch.tensor(values, dtype=torch.float64)
    half = student.ppf(0.975, len(x) - 1) * float(x.std()) / len(x) ** 0.5
    return {"value": round(float(x.mean()), 4), "low": round(float(x.mean()) - half, 4),
            "high": round(float(x.mean()) + half, 4)}  # fmt: skip


def table(runs: dict[str, list[dict]], name: str, kind: str = MAIN) -> dict:
    """A row: scores of each seed, and their differences to the base row of the same seed."""
    mean = lambda found, average: float(found[f"{average}: psnr"].mean())  # noqa: E731
    base, rows = runs[BASE], runs[name]
    by_level = torch.stack([r[f"{kind}: psnr"] for r in rows]).mean(0)
    return {
        "psnr": interval([mean(r, kind) for r in rows]),
        "psnr_by_level": [round(v, 3) for v in by_level.tolist()],
        "minus_base": interval([mean(r, kind) - mean(b, MAIN) for r, b in zip(rows, base, strict=True)]),
        "mmd2": interval([float(r[f"{kind}: mmd2"]) for r in rows]),
        "brightness": interval([float(r[f"{kind}: brightness"]) for r in rows]),
    }


def main(out: Path) -> None:
    groups = variants()
    names = [(group, name) for group, rows in groups.items() for name in rows]
    runs = {}
    for group, name in tqdm(names, "training"):
        variant, every = groups[group][name], name == BASE
        file = "".join(c if c.isalnum() else "-" for c in f"training-{group}-{name}")
        runs[name] = [
            piece(f"{file}-{seed}", MADE_FROM, partial(run, variant, seed, every)) for seed in SEEDS
        ]
    rows = {}
    for group, name in names:
        seconds = sum(float(r["seconds"]) for r in runs[name]) / len(SEEDS)
        rows[name] = {"group": group, "seconds": round(seconds, 1)} | table(runs, name)
    result = {
        "settings": {"steps": STEPS, "batch": BATCH, "rate": RATE, "seeds": len(SEEDS), "levels": SCORED,
                     "training": TRAINING, "held_out": HELD_OUT, "samples": SAMPLES},
        "rows": rows,
        "averages": {kind: table(runs, BASE, kind) for kind in AVERAGES},
        "first_losses": [round(v, 5) for v in runs[BASE][0]["losses"][:FIRST].tolist()],
    }  # fmt: skip
    write(out, MADE_FROM, result)
