"""256 free samples of brain-128 beside held-out slices and four controls.

Free samples cover all heights of the head, held-out slices two slabs of it. So there are two references of
256 slices, `heldout` (other warps, other slabs) and `fresh` (other warps, the trained slabs), and another
set of samples that was told the contrasts and positions of held-out slices. A third set was drawn by DDIM.
"""

from functools import partial
from pathlib import Path

import torch
from scipy.stats import ks_2samp
from torch import Tensor
from tqdm.auto import tqdm

import medtut as mt
from medtut.data.anatomy import smooth
from medtut.data.brain import Brain
from medtut.metrics import mmd2_test, radial_power_spectrum
from medtut.samplers import ddim, last, start
from medtut.schedules import cosine

from .features import QUANTITIES, Reader, Scale, responses, truth
from .store import piece, write

N, STEPS, CHUNK = 256, 40, 16
SIGMA_MIN, SIGMA_MAX = 0.01, 40.0
TRAINING = 1024  # training slices that the features' scale and the Gaussian are fitted to
NEVER_SEEN = 10_000_000  # indices that no recipe reaches
BLUR = 1.0  # pixels: what an undertrained network looks like
PERMUTATIONS = 500
REFERENCES = ("heldout", "fresh")
DRAWN_FROM = ["brain-128", "medtut.samplers.ancestral:ddim", "benchmarks.samples:draw"]
MADE_FROM = [
    *DRAWN_FROM,
    "medtut.data.brain:Brain",
    "medtut.metrics:mmd2_test",
    "medtut.metrics:radial_power_spectrum",
    "benchmarks.features:responses",
    "benchmarks.features:Reader",
    "benchmarks.samples:measure",
]


def draw(
    denoise, first: int, count: int, label: Tensor | None = None, eta: float = 1.0, steps: int = STEPS
) -> Tensor:
    """Samples `first` to `first + count`, each from its own generator; `label` (count, 2) or None.

    eta = 1 is DDPM; eta = 0 is DDIM, which never takes back an error of the network.
    """
    sigmas = cosine(steps, SIGMA_MIN, SIGMA_MAX)
    noise = mt.generators(0, first + count)[first:]
    device = next(denoise.parameters()).device
    x = start(sigmas, (count, 1, 128, 128), noise).to(device)
    told = denoise if label is None else mt.given(denoise, label.to(device))
    return last(ddim(told, sigmas, x, eta=eta, generator=noise)).cpu()


def slices(split: str, first: int, count: int):
    """Image, label and tissue of a run of the cohort."""
    cohort = Brain(split=split)
    parts = [cohort.batch(range(i, min(i + 64, first + count))) for i in range(first, first + count, 64)]
    return tuple(torch.cat([part[k] for part in parts]) for k in range(3))


def gaussian_samples(training: Tensor, n: int) -> Tensor:
    """Draws from the Gaussian with the mean and covariance of the training slices, (n, 1, h, w)."""
    mean = training.mean(0)
    weights = mt.randn((n, len(training)), torch.Generator().manual_seed(0))
    return mean + torch.einsum("nk,kchw->nchw", weights, training - mean) / (len(training) - 1) ** 0.5


def populations(bar: tqdm) -> tuple[dict[str, Tensor], dict]:
    """Images of every row of the table, and what is known of the training slices."""
    images = {}
    for name, split, first in (("heldout", "heldout", 0), ("fresh", "train", NEVER_SEEN)):
        both, label, tissue = slices(split, first, 2 * N)
        half = both[N:]
        images |= {name: both[:N], f"{name}, other half": half, f"{name}, blurred": smooth(half, BLUR)}
        if name == "heldout":
            told, known = label[N:], (both, tissue)
    training, _, tissue = slices("train", 0, TRAINING)
    others, _, other_tissue = slices("heldout", NEVER_SEEN, TRAINING)  # the reader must know every height
    images["training copies"] = training[:N]
    images["Gaussian"] = gaussian_samples(training, N)
    denoise = mt.load("brain-128")
    drawn = {
        "free samples": (None, 1.0, STEPS),
        "free samples, twice the steps": (None, 1.0, 2 * STEPS),
        "free samples by DDIM": (None, 0.0, STEPS),
        "samples told contrast and position": (told, 1.0, STEPS),
    }
    for name, (label, eta, steps) in drawn.items():
        chunks = []
        for i in range(0, N, CHUNK):
            part = None if label is None else label[i : i + CHUNK]
            make = partial(draw, denoise, i, CHUNK, part, eta, steps)
            chunks.append(piece(f"{name} {i}", DRAWN_FROM, lambda make=make: {"x": make()})["x"])
            bar.update()
        images[name] = torch.cat(chunks)
    images = {name: x.clamp(min=0) for name, x in images.items()}  # physical units; data are never negative
    lessons = torch.cat([training, others]), torch.cat([tissue, other_tissue])
    return images, {"training": training, "lessons": lessons, "heldout": known}


def nearest(x: Tensor, candidates: Tensor) -> Tensor:
    """Distance of each image to its nearest candidate, on 32 x 32 averages, (n,)."""
    return torch.cdist(*(torch.nn.functional.avg_pool2d(t, 4).flatten(1) for t in (x, candidates))).amin(1)


def spectrum(x: Tensor) -> Tensor:
    """Mean power per ring of frequencies in dB, (32,)."""
    return 10 * radial_power_spectrum(x)[1].mean(0).log10()


def band() -> Tensor:
    """The rings of `spectrum` between 0.02 and 0.4 cycles per pixel."""
    frequency, _ = radial_power_spectrum(torch.zeros(1, 1, 128, 128))
    return (frequency > 0.02) & (frequency < 0.4)


def measure(images: dict[str, Tensor], known: dict) -> dict:
    """Every number of the result but the samples' own means."""
    scale = Scale.fit(responses(known["training"]))
    seen, seen_tissue = known["lessons"]
    reader = Reader(scale(responses(seen)), truth(seen_tissue))
    features = {name: scale(responses(x)) for name, x in images.items()}
    areas = {name: reader(f) for name, f in features.items()}
    both, tissue = known["heldout"]
    right = truth(tissue)
    r2 = 1 - (reader(scale(responses(both))) - right).square().mean(0) / right.var(0)
    frequency, _ = radial_power_spectrum(both[:1])
    rows = {}
    for name in images:
        row = rows[name] = {"mmd2": {}, "areas": {}}
        for reference in REFERENCES:
            if name != reference:
                g = torch.Generator().manual_seed(0)
                test = mmd2_test(features[name], features[reference], PERMUTATIONS, generator=g)
                row["mmd2"][reference] = dict(zip(("value", "low", "high", "p"), test, strict=True))
        for k, quantity in enumerate(QUANTITIES):
            a, b = areas[name][:, k], areas["heldout"][:, k]
            apart = ks_2samp(a.numpy(), b.numpy()).statistic
            row["areas"][quantity] = {"mean": a.mean().item(), "sd": a.std().item(), "ks": float(apart)}
        difference = spectrum(images[name]) - spectrum(images["heldout"])
        row["spectrum_dB"] = difference[band()].tolist()
        near = nearest(images[name], known["training"][: 2 * N])  # copies are at distance 0
        row["neighbour_ratio"] = {
            group: (near / nearest(images[name], others)).median().item()
            for group, others in known["candidates"].items()
        }
    r2 = dict(zip(QUANTITIES, r2.tolist(), strict=True))
    return {"anatomy_r2": r2, "frequency": frequency[band()].tolist(), "rows": rows}


def table(result: dict) -> str:
    """The rows as text: MMD in units of 1e-3 and the neighbour ratio against both references."""
    lines = ["MMD2 x 1000 and neighbour ratio, each against held-out | fresh; KS of ventricle area; worst dB"]
    for name, row in result["rows"].items():
        mmd = [f"{1e3 * row['mmd2'][k]['value']:7.1f}" if k in row["mmd2"] else 7 * " " for k in REFERENCES]
        ratio = [f"{row['neighbour_ratio'][k]:5.2f}" for k in REFERENCES]
        ks, worst = row["areas"]["ventricles"]["ks"], max(row["spectrum_dB"], key=abs)
        lines.append(f"{name:36s} {' | '.join(mmd)}   {' | '.join(ratio)}   {ks:4.2f} {worst:+6.1f}")
    return "\n".join(lines)


def main(out: Path) -> None:
    """Measure, print the table, store it."""
    with tqdm(total=4 * N // CHUNK, desc="samples", unit="batch") as bar:
        images, known = populations(bar)
    known["candidates"] = {
        "heldout": slices("heldout", 2 * N, 2 * N)[0],
        "fresh": slices("train", NEVER_SEEN + 2 * N, 2 * N)[0],
    }
    result = measure(images, known)
    result["settings"] = {"samples": N, "steps": STEPS, "training": TRAINING, "blur": BLUR}
    result["first_means"] = images["free samples"][:4].mean((1, 2, 3)).tolist()
    write(out, MADE_FROM, result)
    print(table(result))
