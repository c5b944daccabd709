"""Priors of brain slices that are told more than a class: a sentence, or the slice at low resolution."""

from ..train import Recipe
from .brain_64 import NET

COMMON = {"pool": 4096, "shift": 0.5, "scale": 2.0, "data": {"size": 64}}

TEXT = Recipe(
    name="brain-64-text",
    cohort_name="words",
    net="TextNet",
    net_args=NET,
    joint_drop=0.15,
    steps=3000,
    hold=2000,
    **COMMON,
)


def super_resolution(name: str, how: str) -> Recipe:
    """From 16 x 16 to 64 x 64; `how` the low-resolution image comes in."""
    return Recipe(
        name=name,
        cohort_name="reduced",
        net="ReducedNet",
        net_args={"how": how, **NET},
        label_drop=0.0,  # a single pixel is never left out, the whole image is
        joint_drop=0.1,
        steps=1800,
        hold=1200,
        **COMMON,
    )


RECIPES = (
    TEXT,
    super_resolution("brain-64-sr3", "concat"),
    super_resolution("brain-64-sr-attention", "attention"),
)
