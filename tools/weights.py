"""Train every shipped model again and pack its weights; takes hours, goes on where it was stopped."""

import sys

from medtut import recipes, weights
from medtut.recipes.export import export
from medtut.train import train


def main() -> int:
    for name in weights.names():
        recipe = recipes.get(weights.manifest()[name]["recipe"])
        train(recipe)
        print(f"{export(recipe)}: {weights.manifest()[name]['psnr']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
