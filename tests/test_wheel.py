"""The wheel holds all that the package needs: installed alone, outside the clone, it loads every weight."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("medtut", "results", "setup.py", "pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT",
           "NOTICE")
LOAD = """
import medtut, pathlib, sys
assert pathlib.Path(medtut.__file__).is_relative_to(sys.argv[1]), medtut.__file__
from medtut import checks, weights
assert (checks.RESULTS / "leaderboard.json").is_file(), "chapters quote results/, so the wheel carries it"
for name in weights.names():
    weights.load(name, device="cpu")
    print(name)
"""


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-q", *arguments], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, so that setuptools leaves nothing in the clone."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for source in SOURCES:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, copy / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, copy)
    pip("wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", str(out), str(copy))
    return next(out.glob("medtut-*.whl"))


def test_wheel_holds_the_package_and_nothing_else(wheel):
    inside = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    wanted = {p.relative_to(ROOT).as_posix() for p in (ROOT / "medtut").rglob("*")
              if p.suffix in {".py", ".safetensors", ".toml", ".json"}}
    wanted |= {f"medtut/results/{p.name}" for p in (ROOT / "results").glob("*.json")}
    assert inside == wanted


def test_wheel_loads_every_weight_outside_the_clone(wheel, tmp_path):
    target = tmp_path / "site"
    pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run([sys.executable, "-c", LOAD, str(target)], cwd=tmp_path, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shipped = tomllib.loads((ROOT / "medtut/weights/manifest.toml").read_text(encoding="utf-8"))
    assert done.stdout.split() == sorted(shipped) == sorted(p.stem for p in target.rglob("*.safetensors"))
    assert shipped
