"""`medtut fetch`: all that a room without a network needs is here, verified, and warm."""

import importlib
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from . import doctor

EXTRAS = ("lab", "data", "nufft")
MODULES = (
    "monai.inferers",
    "monai.networks.nets",
    "diffusers",
    "ipywidgets",
)  # slow to import for the first time
READY = "Everything is here. The network may be switched off."


def run() -> int:
    """Verify what the chapters need, compute once what is kept; 1 if something is missing, else 0."""
    began, faults = time.perf_counter(), 0
    checks = (
        doctor.interpreter,
        doctor.packages,
        extras,
        doctor.template,
        doctor.weight_files,
        doctor.prior_works,
        warm,
    )
    for check in checks:
        for finding in doctor.examine(check):
            faults += not finding.ok
            if not finding.ok:
                print(f"FAULT {finding.what}\n      mend, while there is a network: {finding.mend}")
        print(f"done  {check.__doc__.splitlines()[0]}")
    ending = READY if not faults else f"{faults} fault{'s' * (faults > 1)}: do not go offline yet."
    print(f"{ending} ({time.perf_counter() - began:.1f} s)")
    return int(faults > 0)


def extras() -> Iterator[doctor.Finding]:
    """JupyterLab, and the packages that single chapters use."""
    for text in requires("medtut") or []:
        need = Requirement(text)
        if need.marker and any(need.marker.evaluate({"extra": name}) for name in EXTRAS):
            try:
                version(need.name)
            except PackageNotFoundError:
                yield doctor.Finding(False, f"{need.name} is not installed", doctor.INSTALL)


def warm() -> Iterator[doctor.Finding]:
    """The list of fonts, compiled modules, and one slice of the cohort."""
    from matplotlib import font_manager

    font_manager.findfont("DejaVu Sans")  # the first call of all lists the fonts, which takes long
    for name in MODULES:
        importlib.import_module(name)
    from ..data.brain import Brain

    yield doctor.Finding(
        bool(len(Brain("train", contrasts=("T1",)).batch(range(1))[0])), "a slice of the cohort"
    )
