"""Two small priors of brain slices, 64 x 64, that differ in what they predict: v, or the velocity of a flow.

The same network, data and number of steps. Each draws its noise levels as its paper does: DDPM's descendants
evenly along the cosine schedule, rectified flow evenly in the time of the straight path.
"""

from dataclasses import replace

from ..train import Recipe

NET = {"patch": 2, "widths": [32, 64], "attention": [False, True]}

RECIPE = Recipe(
    name="brain-64",
    data={"size": 64},
    pool=4096,
    net="BrainNet",
    net_args={"channels": 1, "contrasts": 6, **NET},
    shift=0.5,  # 0 .. 1 becomes -1 .. 1
    scale=2.0,
    joint_drop=0.15,
    steps=3600,
    hold=2400,
)

FLOW = replace(RECIPE, name="brain-64-flow", parametrisation="flow", levels="flow")
RECIPES = (RECIPE, FLOW)
