"""Recipes: one file per model or family. `get("brain-128")`; `medtut train brain-128` follows it."""

from ..errors import BadInput
from ..train import Recipe
from . import (
    brain_64,
    brain_64_classifiers,
    brain_64_conditional,
    brain_128,
    brain_128_complex,
    kernels,
    phantoms,
    supervised,
    tiny,
)

FAMILIES = (brain_64, brain_64_conditional, brain_64_classifiers, phantoms, supervised)
RECIPES = {module.RECIPE.name: module.RECIPE for module in (brain_128, brain_128_complex, kernels, tiny)}
RECIPES |= {recipe.name: recipe for family in FAMILIES for recipe in family.RECIPES}


def get(name: str) -> Recipe:
    """The recipe of that name; BadInput names the ones that exist."""
    if name not in RECIPES:
        raise BadInput(f"no recipe called {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]
