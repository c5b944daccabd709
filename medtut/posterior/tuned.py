"""Noise levels and settings that benchmarks chose on validation slices.

`levels` and `settings`: DDS and DPS for 4x brain MRI, from `benchmarks/reconstruction.py`. `best`: every
method on every task of `medtut.tasks`, from `benchmarks/leaderboard.py`, in tuned.json. They belong to the
shipped priors. Tests hold them to the stored results.
"""

import json
from functools import cache
from pathlib import Path

from torch import Tensor

from ..errors import BadInput
from ..schedules import geometric

# the weight of the data, and of fresh noise, for one coil and for several
SETTINGS = {
    "dds": ({"gamma": 100.0, "eta": 1.0}, {"gamma": 10.0, "eta": 1.0}),
    "dps": ({"zeta": 3.0}, {"zeta": 6.0}),
}


def levels(method: str, steps: int | None = None) -> Tensor:
    """Noise levels for "dds" or "dps", by default as many as in the benchmark."""
    usual, sigma_max = {"dds": (30, 2.0), "dps": (40, 5.0)}[method]
    return geometric(steps or usual, 0.02, sigma_max)


def settings(method: str, coils: int) -> dict[str, float]:
    """The keyword arguments of `posterior.dds` or `posterior.dps` for that many coils."""
    return SETTINGS[method][coils > 1]


@cache
def _stored() -> dict:
    return json.loads(Path(__file__).with_name("tuned.json").read_text(encoding="utf-8"))


def best(task: str, method: str, steps: int = 100) -> tuple[Tensor, dict]:
    """The levels and the keyword arguments that were best on validation slices of a task of `medtut.tasks`.

    steps: network calls of one sample in the setting that was tuned, 100 or 20. In CT and super-resolution
    they are for the problem as `classical.normalised` returns it. Raises BadInput for what was not tuned.
    """
    rows = _stored()
    try:
        row = rows[task][method][str(steps)]
    except KeyError:
        known = sorted({name for methods in rows.values() for name in methods})
        raise BadInput(
            f"got {method!r} with {steps} calls on {task!r}, need what was tuned; use one of "
            f"{', '.join(known)} with 100 or 20 calls."
        ) from None
    return geometric(row["levels"], row["sigma_min"], row["sigma_max"]), dict(row["knobs"])
