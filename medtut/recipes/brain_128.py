"""The main prior: axial brain slices of every contrast, one channel, 128 x 128.

Contrast and slice position are conditions, each dropped with its own coin, so one network is at once the
unconditional prior and the model for classifier-free guidance [ho2022cfg].
"""

from ..train import Recipe

RECIPE = Recipe(
    name="brain-128",
    data={"size": 128, "complex": False},
    net="BrainNet",
    net_args={
        "channels": 1,
        "patch": 4,
        "widths": [64, 96, 128],
        "attention": [False, True, True],
        "contrasts": 6,
    },
    shift=0.5,  # 0 .. 1 becomes -1 .. 1
    scale=2.0,
    before=[(1e-3, 2500, 4600)],
    joint_drop=0.15,
    steps=10800,
    hold=8600,
)
