"""Fills a folder, such as a USB stick, for a room without a network: `python tools/room.py FOLDER [options]`.

Wheels of everything in requirements.lock, the course, the built site, slides and PDF if they are there, and a
README with three commands. What stands after `--` goes to pip download, such as an index with CPU torch.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-book.lock")
BUILT = {"site": "_build/html", "slides": "_build/slides", "medtut.pdf": "_build/pdf/medtut.pdf"}
README = """\
Diffusion models in medical imaging and inverse problems: everything for a room without a network.

To read: open site/index.html in a browser.{also}

To run, copy this folder to your disk, open a terminal in its folder "course" and type

    {python} -m venv .venv
    {run} -m pip install --no-index --find-links ../wheels -r requirements.lock
    {run} -m pip install --no-index --no-deps --no-build-isolation -e .

Then ask whether everything is there, and begin:

    {run} -m medtut fetch
    {run} -m jupyterlab notebooks

The wheels are for {target}. All images are phantoms. Not for clinical use.
"""


def pip_arguments(folder: Path, target: str | None, python: str | None, extra: list[str]) -> list[str]:
    """The call of pip that fills `folder` with wheels, for this machine or for another platform."""
    call = ["-m", "pip", "download", "--disable-pip-version-check", "-r", LOCKS[0], "-d", str(folder), *extra]
    if target:
        call += ["--only-binary", ":all:", "--platform", target, "--python-version", python or "3.12"]
    return call


def course_files(root: Path) -> list[Path]:
    """The files that git knows, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    return [Path(name) for name in listed.split("\0") if name and (root / name).is_file()]


def copy_course(root: Path, target: Path) -> None:
    for name in course_files(root):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target / name)


def readme(target: str | None, there: list[str]) -> str:
    windows = target.startswith("win") if target else platform.system() == "Windows"
    python, run = ("py", r".venv\Scripts\python") if windows else ("python3", ".venv/bin/python")
    also = "".join(f" {name} is there too." for name in there if name != "site")
    where = target or f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return README.format(also=also, python=python, run=run, target=where)


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of each part of the stick."""
    parts = {p.name: [p] if p.is_file() else list(p.rglob("*")) for p in sorted(folder.iterdir())}
    return {name: sum(f.stat().st_size for f in files if f.is_file()) for name, files in parts.items()}


def fill(folder: Path, root: Path, target: str | None, python: str | None, extra: list[str]) -> int:
    """Everything into the folder; the exit status."""
    if not (root / BUILT["site"] / "index.html").is_file():
        print("room: the site is not built; run `make book` first")
        return 2
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    status = subprocess.run(
        [sys.executable, *pip_arguments(wheels, target, python, extra)], cwd=root
    ).returncode
    if status:
        print("room: pip could not fetch every package; see its message above")
        return status
    shutil.rmtree(folder / "course", ignore_errors=True)
    copy_course(root, folder / "course")
    there = [name for name, place in BUILT.items() if (root / place).exists()]
    for name in there:
        source = root / BUILT[name]
        if source.is_dir():
            shutil.copytree(source, folder / name, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, folder / name)
    (folder / "README.txt").write_text(readme(target, there), encoding="utf-8")
    found = sizes(folder)
    for name, count in found.items():
        print(f"{count / 2**20:8.1f} MiB  {name}")
    print(f"{sum(found.values()) / 2**20:8.1f} MiB  in all, in {folder}")
    return 0


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--platform", help="another platform's tag, such as win_amd64 or macosx_14_0_arm64")
    parser.add_argument("--python", help="its Python, such as 3.12 (default)")
    parser.add_argument(
        "--record",
        metavar="WORDS",
        help="store the sizes in book/teach/room.json, with words for what they hold",
    )
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    args, extra = parser.parse_args(given[:cut]), given[cut + 1 :]
    status = fill(args.folder.resolve(), root, args.platform, args.python, extra)
    if status == 0 and args.record:
        installed = sum(
            f.stat().st_size for f in Path(sys.prefix).rglob("*") if f.is_file() and not f.is_symlink()
        )
        row = {"for": args.record, "parts": sizes(args.folder), "installed": installed}
        text = json.dumps(row, indent=1) + "\n"
        (root / "book" / "teach" / "room.json").write_text(text, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
