"""Two supervised reconstructions, each bound to one scan, with as many parameters as the priors' network.

They are trained on 4,000 slices, each measured anew every time it is seen. Too large to ship:
`medtut train mri-unrolled` and `python -m medtut.recipes mri-unrolled` make the file in runs/weights/.
"""

from ..train import Recipe

TRUNK = {"patch": 4, "widths": [64, 96, 128], "attention": [False, True, True], "contrasts": 6}

MRI = Recipe(
    name="mri-unrolled",
    task="mri-4x-8",
    data={"size": 128, "complex": True, "contrasts": ["T1", "T2", "PD", "FLAIR"]},
    pool=4000,
    net="Unrolled",
    net_args={"trunk": {"channels": 2, **TRUNK}, "rounds": 5, "cg": 6},
    shift=0.0,
    scale=1.8,
    lr=5e-4,
    steps=1000,
    hold=1000,
)
CT = Recipe(
    name="ct-after-fbp",
    task="ct-20",
    data={"size": 128, "complex": False, "contrasts": ["CT"]},
    pool=4000,
    net="AfterFBP",
    net_args={"trunk": {"channels": 1, **TRUNK}},
    shift=0.5,
    scale=2.0,
    lr=5e-4,
    steps=2900,
    hold=2900,
)
RECIPES = [MRI, CT]
