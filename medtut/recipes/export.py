"""From a training run to a shipped weight file: half precision, scored on the held-out cohort."""

from pathlib import Path

import torch

from .. import weights
from ..denoisers import Ranged
from ..metrics import magnitude, psnr
from ..noise import generators, randn_like
from ..supervised import Scans
from ..train import Recipe, read_state

SCORE_SIGMAS = (0.05, 0.15, 0.5)  # physical units


@torch.no_grad()
def held_out_psnr(denoise, recipe: Recipe, count: int = 16) -> dict[str, list[float]]:
    """Denoising PSNR in dB inside the head, unconditional, at SCORE_SIGMAS, for each contrast of the recipe.

    Mean over `count` held-out slices, noise seeded by slice; data range 1.
    """
    device = next(denoise.parameters()).device
    scores = {}
    for name, cohort in recipe.held_out().items():
        sample = cohort.batch(range(count))
        z = randn_like(sample.image, generators(recipe.seed, count))
        scores[name] = []
        for sigma in SCORE_SIGMAS:
            x0hat = denoise((sample.image + sigma * z).to(device), sigma).cpu()
            scores[name].append(round(psnr(x0hat, sample.image, sample.head).mean().item(), 2))
    return scores


@torch.no_grad()
def held_out_reconstruction(reconstruct, recipe: Recipe, count: int = 16) -> dict[str, list[float]]:
    """PSNR in dB inside the head of the recipe's task on held-out slices and new coil maps, told the label.

    One number for each contrast: the mean over `count` slices of the PSNR of the magnitude, range 1.
    """
    device, scores = next(reconstruct.parameters()).device, {}
    scans = Scans(recipe.task, device, recipe.seed + 1, maps=count)
    for k, (name, cohort) in enumerate(recipe.held_out().items()):
        sample = cohort.batch(range(count))
        x = reconstruct(scans.problem(sample.image.to(device), k), sample.label).cpu()
        size = (magnitude(x), magnitude(sample.image)) if x.shape[1] == 2 else (x, sample.image)
        scores[name] = [round(psnr(*size, sample.head).mean().item(), 2)]
    return scores


def export(recipe: Recipe, out: Path | str | None = None, folder: Path | None = None) -> Path:
    """Pack the EMA of a run, at any moment of it, as half-precision weights with their manifest row.

    `folder` defaults to the shipped weights; for a supervised network, too large to ship, to runs/weights/.
    """
    tensors, progress = read_state(Path(out or Path("runs") / recipe.name) / "state.safetensors")
    recipe = Recipe(**progress.recipe)
    ema = {k.removeprefix("ema."): v.half() for k, v in tensors.items() if k.startswith("ema.")}
    model = recipe.model()
    model.net.load_state_dict(ema)
    whole = model if recipe.task else Ranged(model, recipe.shift, recipe.scale)
    whole = whole.eval().requires_grad_(False)
    score = held_out_reconstruction if recipe.task else held_out_psnr
    row = {
        "net": recipe.net,
        "net_args": recipe.net_args,
        "parametrisation": recipe.parametrisation,
        "shift": recipe.shift,
        "scale": recipe.scale,
        "recipe": recipe.name,
        "recipe_sha256": recipe.hash(),
        "steps": progress.step,
        "steps_planned": recipe.steps,
        "seed": recipe.seed,
        "device": progress.device,
        "minutes": round(progress.seconds / 60, 1),
        "score_sigmas": [] if recipe.task else list(SCORE_SIGMAS),
        "psnr": score(whole, recipe),
    }
    return weights.save(recipe.name, ema, row, folder or (weights.OWN if recipe.task else weights.FOLDER))
