"""`python -m medtut.recipes train NAME` and `python -m medtut.recipes export NAME`."""

import argparse

from ..train import train
from . import RECIPES, get
from .export import export


def main() -> None:
    parser = argparse.ArgumentParser(prog="medtut.recipes", description=__doc__)
    parser.add_argument("action", choices=("train", "export"))
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--steps", type=int, help="stop here; the same command goes on later")
    parser.add_argument("--device", help='"cpu" forces the CPU')
    args = parser.parse_args()
    if args.action == "train":
        train(get(args.name), device=args.device, steps=args.steps)
    else:
        export(get(args.name))


if __name__ == "__main__":
    main()
