"""The shipped weights: safetensors files in half precision, and one row about each in manifest.toml.

`load("brain-128")` verifies the file's sha256 and returns a denoiser in physical units. No pickle is read.
Networks too large to ship are looked for in runs/weights/ of the clone, where their recipes pack them.
"""

import hashlib
import json
import os
import tomllib
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from ..classifiers import CLASSIFIERS, Classifier
from ..denoisers import PARAMETRISATIONS, Preconditioned, Ranged, cosine_clock
from ..errors import BadInput
from ..nets import NETS
from ..nets_conditional import CONDITIONAL
from ..nets_families import brain
from ..unrolled import RECONSTRUCTORS, Reconstructor

FOLDER = Path(__file__).parent
OWN = FOLDER.parents[1] / "runs" / "weights"  # outside git


def manifest(folder: Path = FOLDER) -> dict[str, dict]:
    """Every row of manifest.toml, by name."""
    path = folder / "manifest.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def names(folder: Path = FOLDER) -> list[str]:
    """The names that `load` takes."""
    return sorted(manifest(folder))


def with_recipe(folder: Path = FOLDER) -> list[str]:
    """The names of the networks that `medtut train` makes: all but the families, which have a script."""
    return [name for name in names(folder) if "parametrisation" in manifest(folder)[name]]


def folder_of(name: str) -> Path:
    """Where the weights of that name lie: with the shipped ones, or, if only there, in runs/weights/."""
    return OWN if name not in manifest(FOLDER) and name in manifest(OWN) else FOLDER


def load_tensors(name: str, folder: Path = FOLDER) -> tuple[dict[str, Tensor], dict]:
    """The tensors of a weight file, verified, and its manifest row; BadInput says why not."""
    rows = manifest(folder)
    if name not in rows:
        raise BadInput(
            f"no weights called {name!r}; there are {', '.join(sorted(rows)) or 'none'}; if `medtut list` "
            f"has that recipe, `medtut train {name}` and then `python -m medtut.recipes {name}` make them"
        )
    path = folder / f"{name}.safetensors"
    if not path.exists():
        raise BadInput(f"{path} is missing; restore it with git, or run `make weights`")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != rows[name]["sha256"]:
        raise BadInput(
            f"{path.name} has sha256 {found[:12]}…, the manifest says {rows[name]['sha256'][:12]}…: "
            f"it is damaged or not ours, so it was not loaded; restore it with git, or run `make weights`"
        )
    return safetensors.torch.load(content), rows[name]


def assembled(
    net: str, net_args: dict, parametrisation: str, shift: float, scale: float
) -> Preconditioned | Classifier | Reconstructor:
    """The untrained model around the network called `net`, as training and `load` see it.

    A denoiser in the network's range; a classifier and a supervised network know shift and scale themselves.
    """
    if net in RECONSTRUCTORS:
        return Reconstructor(RECONSTRUCTORS[net](**net_args, shift=shift, scale=scale))
    if net in CLASSIFIERS:
        return Classifier(CLASSIFIERS[net](**net_args), shift, scale)
    raw = (NETS | CONDITIONAL)[net](**net_args)
    return Preconditioned(raw, PARAMETRISATIONS[parametrisation](cosine_clock))


def load(
    name: str, device=None, dtype=None, folder: Path | None = None
) -> Ranged | Classifier | Reconstructor | torch.nn.ModuleDict:
    """The shipped network as a denoiser in physical units, in eval mode, without gradients of its own.

    `device` defaults to the best one; `dtype` (float32) is the network's, while images keep theirs. A
    classifier is returned as classify(x, sigma) -> logits, a supervised network as
    reconstruct(problem, label=None) -> x, and "families-32" as a dictionary of the six models of
    `medtut.families`, which see [-1, 1]. `folder` defaults to the shipped
    weights, then to runs/weights/. BadInput says what to do if the name is in neither.
    """
    tensors, row = load_tensors(name, folder or folder_of(name))
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if row["net"] == "families":
        made = torch.nn.ModuleDict(brain())
        made.load_state_dict(tensors)
    else:
        keys = ("net", "net_args", "parametrisation", "shift", "scale")
        made = assembled(**{key: row[key] for key in keys})
        made.net.load_state_dict(tensors)
    if isinstance(made, Preconditioned):
        made = Ranged(made, row["shift"], row["scale"])
    return made.to(device=device, dtype=dtype or torch.float32).eval().requires_grad_(False)


def save(name: str, tensors: dict[str, Tensor], row: dict, folder: Path = FOLDER) -> Path:
    """Write `tensors` in half precision and the manifest row with their sha256; other rows stay."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    content = safetensors.torch.save({k: v.detach().cpu().half().contiguous() for k, v in tensors.items()})
    temporary = path.with_suffix(".part")
    temporary.write_bytes(content)
    rows = manifest(folder)
    rows[name] = {"sha256": hashlib.sha256(content).hexdigest(), **row}
    listing = folder / "manifest.part"
    listing.write_text("\n".join(f"[{n}]\n{to_toml(rows[n])}" for n in sorted(rows)), encoding="utf-8")
    os.replace(temporary, path)
    os.replace(listing, folder / "manifest.toml")
    return path


def to_toml(row: dict) -> str:
    """The lines of one table; dictionaries in it become inline tables."""

    def value(v) -> str:
        if isinstance(v, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {value(x)}" for k, x in v.items()) + "}"
        if isinstance(v, list | tuple):
            return "[" + ", ".join(map(value, v)) + "]"
        return json.dumps(v, ensure_ascii=False)

    return "".join(f"{k} = {value(v)}\n" for k, v in row.items())
