"""`medtut list`, `train` and `sample`: the priors, where they come from and what they make."""

import time
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from safetensors import SafetensorError
from torch import Tensor
from tqdm.auto import tqdm

from .. import recipes, schedules, weights
from ..data.brain import CONTRASTS, label_of
from ..denoisers import given
from ..errors import BadInput
from ..noise import generators
from ..samplers import ddpm, start
from ..text import tokens
from ..train import Recipe
from .output import all_or_nothing

SIGMA_MIN, SIGMA_MAX = 0.01, 40.0


def show() -> None:
    """Weights with their held-out denoising scores, then recipes."""
    rows = weights.manifest(weights.OWN) | weights.manifest()
    print("Weights:" if rows else "Weights: none are here; `medtut train NAME` makes them.")
    for name, row in rows.items():
        path = weights.folder_of(name) / f"{name}.safetensors"
        size = f"{path.stat().st_size / 2**20:.1f} MiB" if path.exists() else "file missing"
        print(f"  {name:20s} {size}, {row['steps']} steps, {row['minutes']:g} minutes on {row['device']}")
        sigmas = ", ".join(f"{s:g}" for s in row["score_sigmas"])
        at = f"at sigma {sigmas}" if sigmas else "of the reconstruction"
        if not {"psnr", "accuracy"} & set(row):
            continue
        what = "PSNR in dB inside the head" if "psnr" in row else "share of right answers"
        print(f"  {'':20s} held-out {what} {at}:")
        for contrast, found in row.get("psnr", row.get("accuracy")).items():
            digits = 1 if "psnr" in row else 2
            print(f"  {'':20s}   {contrast:6s} {'  '.join(f'{number:.{digits}f}' for number in found)}")
    print("Recipes:")
    for name, recipe in recipes.RECIPES.items():
        size = recipe.data["size"]
        print(f"  {name:20s} {size} x {size}, {recipe.steps} steps of {recipe.batch} images")


def train(args) -> None:
    """Train or resume; says where the loss curve is and how to go on after a stop."""
    from ..train import train as fit

    recipe = recipes.get(args.name)
    out = Path(args.out or Path("runs") / args.name)
    try:
        state = fit(recipe, out=out, device=args.device, steps=args.steps)
    except KeyboardInterrupt as stop:
        raise BadInput(f"training was stopped; the same command goes on from what {out} holds.") from stop
    except SafetensorError as cause:
        raise BadInput(f"{out}/state.safetensors is damaged; move {out} away and train again.") from cause
    print(f"Training state: {state}. Loss curve: {out / 'loss.png'}.")


def condition(args, recipe: Recipe) -> Tensor | None:
    """The label of `--words`, or of `--contrast` and `--position`, -1 for what is not given; else None.

    BadInput if the prior is not told such things.
    """
    reads = recipe.cohort_name == "words"
    if args.words is not None and not reads:
        raise BadInput(f"{args.name} reads no words; use --contrast and --position, or brain-64-text.")
    if args.words is not None:
        return tokens(args.words)
    if args.contrast is None and args.position is None:
        return None
    if recipe.cohort_name:
        instead = '--words "t1 high"' if reads else "neither"
        raise BadInput(f"{args.name} is not told contrast and position by number; use {instead}.")
    name = next((c for c in CONTRASTS if c.lower() == (args.contrast or "").lower()), args.contrast)
    label = label_of(CONTRASTS[0] if name is None else name, args.position)
    if name is None:
        label[0] = -1.0
    return label


def sample(args) -> None:
    """`args.n` images of a prior as .npy, float32 (n, c, h, w), and as a PNG."""
    denoise = weights.load(args.name, device=args.device)
    recipe = recipes.get(args.name)
    if recipe.task:
        raise BadInput(f"{args.name} draws no images; `medtut list` names the priors that do.")
    label = condition(args, recipe)
    if args.contrast and CONTRASTS[int(label[0])] not in recipe.data.get("contrasts", CONTRASTS):
        known = ", ".join(recipe.data["contrasts"])
        raise BadInput(f"{args.name} was not trained on {args.contrast}; choose one of {known}.")
    device = next((p.device for p in denoise.parameters()), torch.device("cpu"))
    shape = (args.n, recipe.net_args.get("channels", 1), recipe.data["size"], recipe.data["size"])
    sigmas = schedules.cosine(args.steps, SIGMA_MIN, SIGMA_MAX)
    rng = generators(args.seed, args.n)
    x = start(sigmas, shape, rng).to(device)
    began = time.perf_counter()
    with all_or_nothing(args.out) as out:
        denoise = denoise if label is None else given(denoise, label.to(device))
        states = ddpm(denoise, sigmas, x, generator=rng)
        for state in tqdm(states, total=args.steps, desc=args.name, unit="step"):
            x = state.x
        x = x.cpu()
        if not torch.isfinite(x).all():
            raise BadInput(f"sampling diverged in {args.steps} steps; use more with --steps.")
        np.save(out / f"{args.name}.npy", x.numpy())
        contact_sheet(out / f"{args.name}.png", x, args.name)
    print(f"{args.n} samples in {time.perf_counter() - began:.1f} s: {args.out}/{args.name}.npy and .png.")


def contact_sheet(path: Path, x: Tensor, name: str) -> None:
    """All images in rows of up to eight; two channels are shown as magnitude."""
    images = x.square().sum(1).sqrt() if x.shape[1] == 2 else x[:, 0]
    columns = min(8, len(images))
    rows = -(-len(images) // columns)
    figure = Figure((1.6 * columns, 1.6 * rows + 0.3), dpi=100, layout="constrained")
    figure.suptitle(f"Samples of {name}, which no scanner made. Not for clinical use.", fontsize=8)
    for k, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set_axis_off()
        if k < len(images):
            axes.imshow(images[k].numpy(), "gray", vmin=0, vmax=1)
    figure.savefig(path, format="png")
