"""`python -m medtut.recipes NAME` packs a training run, at any moment of it, as a shipped weight file."""

import argparse

from . import RECIPES, get
from .export import export


def main() -> None:
    parser = argparse.ArgumentParser(prog="medtut.recipes", description=__doc__)
    parser.add_argument("name", choices=sorted(RECIPES))
    print(f"Written to {export(get(parser.parse_args().name))}.")


if __name__ == "__main__":
    main()
