"""`python -m medtut.recipes.families` trains the six families on 32 x 32 slices and packs them in one file.

Each has about 100,000 weights and takes a few minutes on one CPU core. A family that is finished is kept in
runs/families-32/ and not trained again. The data are 1,024 T1 slices in 32 grey levels.
"""

import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm.auto import tqdm

from .. import weights
from ..data.brain import Brain
from ..families import bits_per_dim, dequantise
from ..nets_families import FAMILIES, GREY_LEVELS, brain, weights_of

NAME = "families-32"
TRAINING = 1024  # slices
NEW = 1_000_000  # indices from here on are subjects that no family has seen
SEED = 0
STEPS = {"VAE": 2000, "GAN": 600, "flow": 1800, "autoregressive": 900, "energy": 400, "diffusion": 1500}
BATCH = {"autoregressive": 8, "energy": 16, "diffusion": 16}  # others 32
RATE = {"GAN": 1e-3, "energy": 5e-4}  # others 3e-3
BETAS = {"GAN": (0.5, 0.999), "energy": (0.0, 0.999)}  # others Adam's own
AVERAGE = 0.98  # of the weights; samples of the average fluctuate less


def slices(first: int, count: int) -> Tensor:
    """Grey levels 0 .. 31 of T1 slices, (count, 1, 32, 32); values of 1 and more are the last level."""
    cohort = Brain("train", size=64, contrasts=("T1",))
    runs = [range(i, min(i + 64, first + count)) for i in range(first, first + count, 64)]
    image = torch.cat([nn.functional.avg_pool2d(cohort.batch(run).image, 2) for run in runs])
    return (image * GREY_LEVELS).long().clamp(0, GREY_LEVELS - 1)


def train(model: nn.Module, name: str, data: Tensor, steps: int) -> dict[str, Tensor]:
    """The average of the weights over the last steps; batches and noise follow from SEED."""
    generator = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.Adam(model.parameters(), RATE.get(name, 3e-3), BETAS.get(name, (0.9, 0.999)))
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    average = {k: p.detach().clone() for k, p in model.state_dict().items()}
    bar = tqdm(range(steps), desc=name)
    for step in bar:
        i = torch.randint(len(data), (BATCH.get(name, 32),), generator=generator)
        loss = model.loss(dequantise(data[i], GREY_LEVELS, generator), generator)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        decay.step()
        for k, p in model.state_dict().items():
            average[k].lerp_(p, 1 - min(AVERAGE, (1 + step) / (10 + step)))
        if step % 50 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    chains = {k: b.clone() for k, b in model.named_buffers() if k in average}  # a mean of images is none
    return average | chains


def piece(name: str, out: Path, data: Tensor | None) -> tuple[dict[str, Tensor], float]:
    """The trained weights of one family and the minutes of one core that they took."""
    path = out / f"{name}.safetensors"
    if not path.exists():
        torch.manual_seed(SEED)
        model, began = brain()[name], time.process_time()
        tensors = train(model, name, slices(0, TRAINING) if data is None else data, STEPS[name])
        tensors["minutes"] = torch.tensor((time.process_time() - began) / 60)
        out.mkdir(parents=True, exist_ok=True)
        save_file(tensors, path)
    tensors = load_file(path)
    return tensors, tensors.pop("minutes").item()


def row(minutes: dict[str, float], models: nn.ModuleDict) -> dict:
    """What the manifest says of the file; the score is bits per pixel of 64 new subjects."""
    generator = torch.Generator().manual_seed(SEED)
    x = dequantise(slices(NEW, 64), GREY_LEVELS, generator)
    scores = {}
    with torch.no_grad():
        for name, model in models.items():
            if hasattr(model, "log_prob"):
                nats = model.log_prob(x)
            elif hasattr(model, "bound"):
                nats = model.bound(x, generator)
            else:
                continue
            scores[name] = bits_per_dim(nats, 1024, GREY_LEVELS).mean().item()
    return {
        "net": "families",
        "net_args": {},
        "recipe": NAME,
        "steps": max(STEPS.values()),
        "steps_of": STEPS,
        "weights_of": {name: weights_of(model) for name, model in models.items()},
        "minutes_of": {name: round(m, 1) for name, m in minutes.items()},
        "seed": SEED,
        "device": "cpu, 1 threads",
        "minutes": round(sum(minutes.values()), 1),
        "score_sigmas": [],
        "bits": {name: [round(score, 3)] for name, score in scores.items()},
    }


def main(out: Path = Path("runs") / NAME) -> None:
    """Train what is missing and pack all."""
    models, minutes = nn.ModuleDict(brain()), {}
    for name in FAMILIES:
        tensors, minutes[name] = piece(name, out, None)
        models[name].load_state_dict({k: v.half().float() for k, v in tensors.items()})
    made = row(minutes, models.eval().requires_grad_(False))
    print(f"{weights.save(NAME, models.state_dict(), made)}: {made['bits']} bits per pixel")


if __name__ == "__main__":
    main()
