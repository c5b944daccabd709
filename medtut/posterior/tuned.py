"""Noise levels and settings of DDS and DPS that `benchmarks/reconstruction.py` chose for 4x brain MRI.

They belong to the prior brain-128-complex. A test holds them to the stored result.
"""

from torch import Tensor

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
