"""Three small priors that differ in one number: how many subjects they were trained on.

Phantoms of 64 x 64, the same network and the same number of steps for all; the chapter on shift asks which of
them has learnt the subjects by heart.
"""

from ..train import Recipe

SUBJECTS = (10, 100, 1000)


def recipe(subjects: int) -> Recipe:
    """The prior of so many subjects."""
    return Recipe(
        name=f"phantom-{subjects}",
        cohort_name="phantoms",
        data={"size": 64},
        pool=subjects,
        net="BrainNet",
        net_args={
            "channels": 1,
            "patch": 2,
            "widths": [32, 64],
            "attention": [False, True],
            "contrasts": 1,
        },
        shift=0.5,
        scale=2.0,
        batch=32,
        steps=5000,
        hold=3500,
    )


RECIPES = [recipe(subjects) for subjects in SUBJECTS]
