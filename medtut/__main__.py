"""`medtut doctor | fetch | list | train | sample | reconstruct | papers`. Bad input: one sentence, code 2."""

import argparse
import math
import sys
from importlib.metadata import PackageNotFoundError, version


class Parser(argparse.ArgumentParser):
    """Argparse that answers a wrong argument in one sentence."""

    def error(self, message: str):
        self.exit(2, f"medtut: {message}; see `{self.prog} --help`.\n")


def number(kind: type, low: float | int, high: float | int = math.inf):
    """An argparse type: a finite number of `kind` from `low` to `high`."""

    def parse(text: str):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (low <= value <= high and math.isfinite(value)):
            wanted = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of {low:g} or more"
            raise argparse.ArgumentTypeError(
                f"got {text}, but {'a whole' if kind is int else 'a'} number {wanted} is needed"
            )
        return value

    return parse


def parser() -> Parser:
    """All commands and their arguments."""
    top = Parser(prog="medtut", description="Diffusion models in medical imaging. Not for clinical use.")
    try:
        top.add_argument("--version", action="version", version=f"medtut {version('medtut')}")
    except PackageNotFoundError:
        top.add_argument("--version", action="version", version="medtut (not installed)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("doctor", help="check the installation, with the mend for each fault")
    commands.add_parser("fetch", help="verify and warm all that a room without a network needs")
    commands.add_parser("list", help="weights and recipes")
    papers = commands.add_parser("papers", help="where the course treats a published system")
    papers.add_argument("name", help="name or citation key, for instance DPS")
    train_arguments(commands.add_parser("train", help="train, or go on training, a recipe"))
    sample_arguments(commands.add_parser("sample", help="draw images from a prior"))
    reconstruct_arguments(commands.add_parser("reconstruct", help="accelerated MRI of your own file"))
    return top


def train_arguments(p: argparse.ArgumentParser) -> None:
    """`medtut train`."""
    p.add_argument("name", help="a recipe, see `medtut list`")
    p.add_argument("--out", help="folder of the run (default runs/NAME); the same command resumes it")
    p.add_argument("--steps", type=number(int, 1), help="stop after so many steps (default: the recipe's)")
    p.add_argument("--device", help='"cpu" forces the CPU')


def sample_arguments(p: argparse.ArgumentParser) -> None:
    """`medtut sample`."""
    p.add_argument("name", help="a prior, see `medtut list`")
    p.add_argument("--n", type=number(int, 1, 256), default=16, help="number of images (default 16)")
    p.add_argument("--steps", type=number(int, 1), default=50, help="denoiser calls (default 50)")
    p.add_argument("--contrast", help="T1, T2, PD, FLAIR, CT or FDG (default: any)")
    p.add_argument("--position", type=number(float, 0, 1), help="height of the slice, 0 low to 1 high")
    p.add_argument("--words", help='what to draw, for a prior that reads: "t2 high lesion left"')
    common_arguments(p)


def reconstruct_arguments(p: argparse.ArgumentParser) -> None:
    """`medtut reconstruct`."""
    p.add_argument("file", help="NIfTI, DICOM (file or folder), .npy, or HDF5 with k-space")
    p.add_argument(
        "--acceleration", type=number(float, 1, 32), default=4.0, help="lines left out (default 4)"
    )
    p.add_argument("--method", choices=("dds", "dps"), default="dds")
    p.add_argument("--coils", type=number(int, 1, 64), default=1, help="simulated coils (default 1)")
    p.add_argument("--centre", type=number(float, 0, 1), default=0.08, help="share of centre lines (0.08)")
    p.add_argument("--noise", type=number(float, 0), help="standard deviation, image maximum 1 (0.01)")
    p.add_argument("--steps", type=number(int, 1), help="denoiser calls (default 30 for dds, 40 for dps)")
    p.add_argument("--samples", type=number(int, 1, 64), default=8, help="posterior samples (default 8)")
    p.add_argument("--slice", type=number(int, 0), help="slice to take (default: the one with most signal)")
    p.add_argument("--volume", type=number(int, 0), help="volume of a 4-D NIfTI")
    common_arguments(p)


def common_arguments(p: argparse.ArgumentParser) -> None:
    """What `sample` and `reconstruct` share."""
    p.add_argument("--seed", type=number(int, 0), default=0)
    p.add_argument("--out", default="out", help="folder for the results (default out)")
    p.add_argument("--device", choices=("cpu", "cuda"), help="default: the best there is")


def run(args: argparse.Namespace) -> int:
    """Import what the command needs, and run it."""
    if args.command == "doctor":
        from .cli import doctor

        return doctor.run()
    if args.command == "fetch":
        from .cli import fetch

        return fetch.run()
    if args.command == "reconstruct":
        from .cli import reconstruct

        reconstruct.run(args)
    elif args.command == "papers":
        from .cli import papers

        papers.run(args.name)
    else:
        from .cli import priors

        {"list": lambda _: priors.show(), "train": priors.train, "sample": priors.sample}[args.command](args)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, 1 if `doctor` or `fetch` finds a fault, 2 for bad input."""
    args = parser().parse_args(argv)
    try:
        return run(args)
    except KeyboardInterrupt:
        print("medtut: stopped by you.", file=sys.stderr)
    except (ValueError, OSError) as fault:
        print(f"medtut: {' '.join(str(fault).split()).rstrip('.')}.", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
