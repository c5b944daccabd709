"""Results that say what they were made from, and pieces of long measurements that outlive an interruption."""

import hashlib
import json
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from tools.fresh import ROOT, source_hash, weight_hash

PIECES = ROOT / "runs" / "benchmarks"  # git-ignored


@cache
def digest(name: str) -> str:
    """The hash of a function ("medtut.samplers.ode:heun") or of a weight file ("brain-128")."""
    return source_hash(name) if ":" in name else weight_hash(name)


def made_from(names: list[str]) -> dict[str, str]:
    """A hash for each name."""
    return {name: digest(name) for name in names}


def fresh(path: Path, names: list[str]) -> bool:
    """Whether the stored result was made from exactly these sources and weights."""
    if not path.is_file():
        return False
    return json.loads(path.read_text(encoding="utf-8")).get("made_from") == made_from(names)


def as_text(result: dict) -> str:
    """JSON with one line for each list of numbers or words."""

    def joined(found: re.Match) -> str:
        return re.sub(r"\s+", " ", found[0]).replace("[ ", "[").replace(" ]", "]")

    return re.sub(r"\[[^\[\]{}]*\]", joined, json.dumps(result, indent=1, ensure_ascii=False)) + "\n"


def write(path: Path, names: list[str], result: dict) -> None:
    """Store a result with the hashes of its makers; the old file stays until the new one is whole."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(as_text({"made_from": made_from(names), **result}), encoding="utf-8")
    os.replace(draft, path)


def piece_path(name: str, names: list[str]) -> Path:
    """Where `piece` stores what the present code and weights make."""
    key = hashlib.sha256(json.dumps(made_from(names), sort_keys=True).encode()).hexdigest()[:16]
    return PIECES / key / f"{name}.safetensors"


def piece(name: str, names: list[str], make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """`make()`, or what an earlier run of the same code and weights stored under this name."""
    path = piece_path(name, names)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        save_file({k: v.contiguous() for k, v in make().items()}, draft)
        os.replace(draft, path)
    return load_file(path)
