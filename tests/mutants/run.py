"""Plant each small error in a copy of the package; its tests must fail: `python tests/mutants/run.py [WORD]`.

First the tests run on the sound copy, where they must pass. WORD picks the mutants whose text holds it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from planted import MUTANTS, Mutant
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
WORKERS = max(1, min(4, (os.cpu_count() or 2)))


def copy(folder: Path) -> Path:
    """The package and its tests, without what they wrote."""
    for name in ("medtut", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def failed(clone: Path, tests: str) -> bool:
    """Run some tests on a copy, in one thread, up to the first that fails; SystemExit if they cannot run."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"tests/test_{tests}.py"]
    settings = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(clone)}
    done = subprocess.run(command, cwd=clone, env={**os.environ, **settings}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode > 1:
        raise SystemExit(f"tests/test_{tests}.py could not run:\n{done.stdout[-2000:]}")
    return done.returncode == 1


def found(clone: Path, mutant: Mutant) -> bool:
    """Plant one mutant, run its tests, take it out again."""
    file = clone / "medtut" / mutant.file
    sound = file.read_text(encoding="utf-8")
    if sound.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.file} holds {mutant.old!r} {sound.count(mutant.old)} times, not once")
    file.write_text(sound.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return failed(clone, mutant.tests)
    finally:
        file.write_text(sound, encoding="utf-8")


def main() -> int:
    chosen = [m for m in MUTANTS if all(word in " ".join(m) for word in sys.argv[1:])]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as pool:
        clones = SimpleQueue()
        for number in range(WORKERS):
            clones.put(copy(Path(folder) / str(number)))

        def borrow(function, argument):
            clone = clones.get()
            try:
                return function(clone, argument)
            finally:
                clones.put(clone)

        tests = sorted({m.tests for m in chosen})
        ill = list(tqdm(pool.map(lambda t: borrow(failed, t), tests), "sound", len(tests)))
        if any(ill):
            print("These fail without a mutant:", *(t for t, bad in zip(tests, ill, strict=True) if bad))
            return 1
        killed = list(tqdm(pool.map(lambda m: borrow(found, m), chosen), "mutants", len(chosen)))
    for mutant, dead in zip(chosen, killed, strict=True):
        if not dead:
            print(f"SURVIVED in {mutant.file}: {mutant.old!r} -> {mutant.new!r} (test_{mutant.tests}.py)")
    print(f"{sum(killed)} of {len(chosen)} mutants killed")
    return 0 if all(killed) else 1


if __name__ == "__main__":
    sys.exit(main())
