"""Train every shipped model again and pack its weights; takes hours, goes on where it was stopped."""

import sys

from medtut import recipes, weights
from medtut.recipes import families
from medtut.recipes.export import export
from medtut.train import train


def main() -> int:
    for name in weights.with_recipe():
        recipe = recipes.get(weights.manifest()[name]["recipe"])
        train(recipe)
        path, row = export(recipe), weights.manifest()[name]
        print(f"{path}: {row.get('psnr', row.get('accuracy'))}")
    families.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
