"""A prior of blur kernels, 16 x 16 taps, for blind deblurring: motions and anisotropic Gaussians.

Small enough to train in minutes on a CPU. Kernels have a largest tap of 1, and no condition.
"""

from ..train import Recipe

RECIPE = Recipe(
    name="kernels",
    cohort_name="kernels",
    data={"size": 16},
    net="TinyUNet",
    net_args={"channels": 1, "width": 16},
    shift=0.5,  # 0 .. 1 becomes -1 .. 1
    scale=2.0,
    batch=32,
    lr=2e-3,
    warmup=100,
    ema=0.998,
    steps=3000,
    hold=2000,
)
