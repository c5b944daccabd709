"""Noise levels and settings of DDS and DPS that `benchmarks/reconstruction.py` chose for 4x brain MRI.

They belong to the prior brain-128-complex. A test holds them to the stored result.
"""

from torch import Tensor

from ..schedules import geometric

# the weight of the data, and of fresh noise, for one coil and for several
SETTINGS = {
    "dds": ({"gamma": 30.0, "eta": 0.95}, {"gamma": 30.0, "eta": 0.95}),
    "dps": ({"zeta": 3.0}, {"zeta": 10.0}),
}


def levels(method: str, steps: int | None = None) -> Tensor:
    """Noise levels for "dds" or "dps", by default as many as in the benchmark."""
    return geometric(steps or {"dds": 30, "dps": 40}[method], 0.02, 5.0)


def settings(method: str, coils: int) -> dict[str, float]:
    """The keyword arguments of `posterior.dds` or `posterior.dps` for that many coils."""
    return SETTINGS[method][coils > 1]
