"""`medtut doctor`: what is installed, whether it works, and the mend for each fault."""

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

INSTALL = "run `make lab`, or `pip install -e .` in the clone"


class Finding(NamedTuple):
    """One line of the report; `mend` is what to do if it is not `ok`."""

    ok: bool
    what: str
    mend: str = ""


def run() -> int:
    """Print every finding; 1 if there is a fault, else 0."""
    began = time.perf_counter()
    faults = 0
    for check in (interpreter, packages, torch_works, template, weight_files, prior_works, folders):
        for finding in examine(check):
            faults += not finding.ok
            print(f"{'ok   ' if finding.ok else 'FAULT'} {finding.what}")
            if not finding.ok:
                print(f"      mend: {finding.mend}")
    verdict = "No fault" if not faults else f"{faults} fault{'s' if faults > 1 else ''}"
    print(f"{verdict}, {time.perf_counter() - began:.1f} s.")
    return int(faults > 0)


def examine(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A check that cannot run is a fault too: a doctor must not die of the patient's illness."""
    try:
        yield from check()
    except Exception as cause:
        yield Finding(False, f"{check.__name__.replace('_', ' ')}: {type(cause).__name__}: {cause}", INSTALL)


def interpreter() -> Iterator[Finding]:
    """Python in the range that the package states."""
    from packaging.specifiers import SpecifierSet

    wanted = SpecifierSet(metadata("medtut")["Requires-Python"])
    ok = platform.python_version() in wanted
    what = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding(ok, what, f"use a Python {wanted}, for instance from environment.yml")


def packages() -> Iterator[Finding]:
    """Every requirement of medtut, and its version."""
    for text in requires("medtut") or []:
        need = Requirement(text)
        if need.marker and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(need.name)
        except PackageNotFoundError:
            yield Finding(False, f"{need.name} is not installed", INSTALL)
            continue
        ok = need.specifier.contains(found, prereleases=True)
        yield Finding(ok, f"{need.name} {found}", f'run `pip install "{need.name}{need.specifier}"`')


def torch_works() -> Iterator[Finding]:
    """A product on the best device."""
    import torch

    from .. import device

    name = torch.cuda.get_device_name() if device() == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    ok = bool((torch.ones(8, 8, device=device()) @ torch.ones(8, 8, device=device()) == 8).all())
    yield Finding(ok, f"torch computes on {name}", "install the torch build for this machine, see README")


def template() -> Iterator[Finding]:
    """The template that the brain cohort is made from."""
    import nilearn

    name = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    ok = (Path(nilearn.__file__).parent / "datasets" / "data" / name).exists()
    yield Finding(ok, "the brain template inside nilearn", "run `pip install --force-reinstall nilearn`")


def weight_files() -> Iterator[Finding]:
    """Every weight file against the hash in the manifest."""
    from .. import weights

    rows = weights.manifest()
    if not rows:
        yield Finding(False, "no weights are here", "run `git checkout -- medtut/weights`, or `make weights`")
    for name, row in rows.items():
        path = weights.FOLDER / f"{name}.safetensors"
        ok = path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        state = "sha256 as in the manifest" if ok else "missing or damaged"
        yield Finding(
            ok, f"weights {name}: {state}", f"run `git checkout -- {path}`, or `medtut train {name}`"
        )


def prior_works() -> Iterator[Finding]:
    """One image through every network."""
    import torch

    from .. import recipes, weights

    for name in weights.with_recipe():
        recipe, began = recipes.get(name), time.perf_counter()
        x = torch.ones(1, recipe.net_args.get("channels", 1), recipe.data["size"], recipe.data["size"])
        ok = bool(torch.isfinite(weights.load(name, device="cpu")(x, 1.0)).all())
        what = f"{name} takes an image, {time.perf_counter() - began:.1f} s with loading"
        yield Finding(ok, what, "run `git checkout -- medtut/weights`")


def folders() -> Iterator[Finding]:
    """Room and permission to write, here and in the temporary folder."""
    for name, path in (("this folder", Path.cwd()), ("the temporary folder", Path(tempfile.gettempdir()))):
        ok = os.access(path, os.W_OK)
        yield Finding(ok, f"{name} can be written to", f"change to a folder of your own; {path} is closed")
        free = shutil.disk_usage(path).free / 2**30
        yield Finding(free > 1, f"{name} has {free:.0f} GiB free", "free 1 GiB or more")
    tests = "there" if find_browser() else "absent, which only `make test` needs"
    yield Finding(True, f"Chromium: {tests}; interpreter {sys.executable}")


def find_browser() -> str | None:
    """Chromium's path."""
    return next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
