"""From a training run to a shipped weight file: half precision, scored on the held-out cohort."""

from pathlib import Path

import torch

from .. import weights
from ..data.brain import CONTRASTS
from ..denoisers import Ranged
from ..metrics import psnr
from ..noise import generators, randn_like
from ..train import Recipe, read_state

SCORE_SIGMAS = (0.05, 0.15, 0.5)  # physical units


@torch.no_grad()
def held_out_psnr(denoise, recipe: Recipe, count: int = 16) -> dict[str, list[float]]:
    """Denoising PSNR in dB inside the head, unconditional, at SCORE_SIGMAS, for each contrast of the recipe.

    Mean over `count` held-out slices, noise seeded by slice; data range 1.
    """
    device = next(denoise.parameters()).device
    scores = {}
    for code in recipe.cohort("heldout").codes.tolist():
        sample = recipe.cohort("heldout", contrasts=[CONTRASTS[code]]).batch(range(count))
        z = randn_like(sample.image, generators(recipe.seed, count))
        scores[CONTRASTS[code]] = []
        for sigma in SCORE_SIGMAS:
            x0hat = denoise((sample.image + sigma * z).to(device), sigma).cpu()
            scores[CONTRASTS[code]].append(round(psnr(x0hat, sample.image, sample.head).mean().item(), 2))
    return scores


def export(recipe: Recipe, out: Path | str | None = None, folder: Path = weights.FOLDER) -> Path:
    """Pack the EMA of a run, at any moment of it, as half-precision weights with their manifest row."""
    tensors, progress = read_state(Path(out or Path("runs") / recipe.name) / "state.safetensors")
    recipe = Recipe(**progress.recipe)
    ema = {k.removeprefix("ema."): v.half() for k, v in tensors.items() if k.startswith("ema.")}
    model = recipe.model()
    model.net.load_state_dict(ema)
    denoise = Ranged(model, recipe.shift, recipe.scale).eval().requires_grad_(False)
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
        "score_sigmas": list(SCORE_SIGMAS),
        "psnr": held_out_psnr(denoise, recipe),
    }
    return weights.save(recipe.name, ema, row, folder)
