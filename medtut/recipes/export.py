"""From a training run to a shipped weight file: half precision, scored on the held-out cohort."""

from pathlib import Path

import torch

from .. import weights
from ..checkpoint import read_state
from ..denoisers import Ranged
from ..metrics import magnitude, psnr
from ..noise import generators, randn_like
from ..objectives import CONTRAST
from ..supervised import Scans
from ..train import Recipe

SCORE_SIGMAS = (0.05, 0.15, 0.5)  # physical units
CLASSIFIER_SIGMAS = (0.0, 0.5, 2.0)


@torch.no_grad()
def held_out_psnr(denoise, recipe: Recipe, count: int = 16) -> dict[str, list[float]]:
    """Denoising PSNR in dB inside the head, at SCORE_SIGMAS, for each contrast of the recipe.

    Unconditional, unless the cohort's label is what the model is for (`told`). Mean over `count` held-out
    slices, noise seeded by slice; data range 1.
    """
    device = next(denoise.parameters()).device
    scores = {}
    for name, cohort in recipe.held_out().items():
        sample = cohort.batch(range(count))
        z = randn_like(sample.image, generators(recipe.seed, count))
        label = sample.label.to(device) if getattr(cohort, "told", False) else None
        scores[name] = []
        for sigma in SCORE_SIGMAS:
            x0hat = denoise((sample.image + sigma * z).to(device), sigma, label).cpu()
            scores[name].append(round(psnr(x0hat, sample.image, sample.head).mean().item(), 2))
    return scores


@torch.no_grad()
def held_out_accuracy(classify, recipe: Recipe, count: int = 48) -> dict[str, list[float]]:
    """Share of right answers at CLASSIFIER_SIGMAS, for each contrast: over `count` held-out slices."""
    device, scores = next(classify.parameters()).device, {}
    for k, (name, cohort) in zip(recipe.cohort().codes.tolist(), recipe.held_out().items(), strict=True):
        image = cohort.batch(range(count)).image
        z = randn_like(image, generators(recipe.seed, count))
        found = [classify((image + s * z).to(device), s).argmax(1).cpu() == k for s in CLASSIFIER_SIGMAS]
        scores[name] = [round(right.float().mean().item(), 3) for right in found]
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


def scoring(recipe: Recipe) -> tuple:
    """What is measured of a recipe's model: its name in the manifest, the function, the noise levels."""
    if recipe.task == CONTRAST:
        return "accuracy", held_out_accuracy, CLASSIFIER_SIGMAS
    if recipe.task:
        return "psnr", held_out_reconstruction, ()
    return "psnr", held_out_psnr, SCORE_SIGMAS


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
    kind, score, sigmas = scoring(recipe)
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
        "score_sigmas": list(sigmas),
        kind: score(whole, recipe),
    }
    own = recipe.task not in ("", CONTRAST)
    return weights.save(recipe.name, ema, row, folder or (weights.OWN if own else weights.FOLDER))
