"""Which of the six contrasts is it? One classifier guides noisy images, another judges clean ones.

The judge has another architecture, another seed and other training slices, and never saw much noise.
"""

from ..train import Recipe

COMMON = {"shift": 0.5, "scale": 2.0, "data": {"size": 64}, "task": "contrast", "label_drop": 0.0}

GUIDE = Recipe(
    name="brain-64-noisy-classifier",
    net="Encoder",
    net_args={"width": 24},
    pool=4096,
    batch=32,
    steps=1200,
    hold=800,
    sigma_max=50.0,
    **COMMON,
)
JUDGE = Recipe(
    name="brain-64-judge",
    net="PlainCNN",
    net_args={"width": 16},
    pool=4096,
    batch=32,
    steps=600,
    hold=400,
    sigma_max=0.02,
    seed=1,
    **COMMON,
)
RECIPES = (GUIDE, JUDGE)
