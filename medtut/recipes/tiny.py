"""Sixty steps of a very small prior: what the tests interrupt and resume. Never shipped."""

from ..train import Recipe

RECIPE = Recipe(
    name="tiny",
    data={"size": 64, "complex": False},
    net="BrainNet",
    net_args={"channels": 1, "patch": 4, "widths": [32, 32], "attention": [False, True], "contrasts": 6},
    shift=0.5,
    scale=2.0,
    steps=60,
    hold=40,
    warmup=10,
    batch=4,
)
