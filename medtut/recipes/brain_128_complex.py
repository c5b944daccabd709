"""The prior for reconstruction: MRI contrasts as real and imaginary part, with a smooth phase, 128 x 128."""

from ..train import Recipe

RECIPE = Recipe(
    name="brain-128-complex",
    data={"size": 128, "complex": True, "contrasts": ["T1", "T2", "PD", "FLAIR"]},
    net="BrainNet",
    net_args={
        "channels": 2,
        "patch": 4,
        "widths": [64, 96, 128],
        "attention": [False, True, True],
        "contrasts": 6,
    },
    shift=0.0,  # the phase is arbitrary, so the mean is 0
    scale=1.8,  # root mean square of a component over the image becomes about 0.5
    before=[(1e-3, 2500, 4600)],
    joint_drop=0.15,
    steps=10800,
    hold=8600,
)
