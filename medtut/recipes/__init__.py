"""Recipes: one file per trained model. `get("brain-128")`; `medtut train brain-128` follows it."""
from . import brain_128, brain_128_complex, tiny
from ..train import Recipe

RECIPES = {module.RECIPE.name: module.RECIPE for module in (brain_128, brain_128_complex, tiny)}


def get(name: str) -> Recipe:
    """The recipe of that name; ValueError names the ones that exist."""
    if name not in RECIPES:
        raise ValueError(f"no recipe called {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]
