"""What a notebook may cost, and how its cost is read: shared by the runner, the tests and the book."""

import json
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
RESULTS = ROOT / "results" / "notebooks.json"

MAX_SECONDS, WARN_SECONDS, MEAN_SECONDS = 90.0, 60.0, 30.0  # one notebook, a warning, the mean of all
MAX_GIB = 4.0
MAX_BYTES = 1 << 20  # of a stored notebook


def notebooks() -> list[Path]:
    """Every chapter, in the order of the course."""
    return sorted(p for p in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


def key(path: Path) -> str:
    """The name of a notebook in `results/notebooks.json`: its path under notebooks/, without the suffix."""
    return path.resolve().relative_to(NOTEBOOKS).with_suffix("").as_posix()


def peak_gib(pid: int) -> float:
    """The largest resident memory that a living process has had, in GiB."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        high = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(high.split()[1]) / 2**20
    import psutil

    memory = psutil.Process(pid).memory_info()
    return getattr(memory, "peak_wset", memory.rss) / 2**30  # macOS keeps no peak for other processes


def faults(costs: dict[str, tuple[float, float]], mean_too: bool = True) -> list[str]:
    """One sentence per broken budget; `costs` maps a notebook's name to (seconds, GiB).

    The mean is for seconds that were stored on a quiet machine: one that is shared may be slower in all.
    """
    said = [f"{name} took {s:.0f} s; at most {MAX_SECONDS:.0f} s are allowed."
            for name, (s, _) in costs.items() if s > MAX_SECONDS]
    said += [f"{name} took {gib:.1f} GiB; at most {MAX_GIB:.0f} GiB are allowed."
             for name, (_, gib) in costs.items() if gib > MAX_GIB]
    mean = sum(s for s, _ in costs.values()) / max(len(costs), 1)
    if mean_too and mean > MEAN_SECONDS:
        said.append(f"The notebooks took {mean:.0f} s on average; at most {MEAN_SECONDS:.0f} s are allowed.")
    return said


def table(costs: dict[str, tuple[float, float]]) -> list[str]:
    """The lines of a table of seconds and memory, one notebook each, and their mean."""
    width = max(map(len, costs), default=8)
    lines = [f"{'notebook':<{width}}  seconds   GiB"]
    for name, (s, gib) in costs.items():
        lines.append(f"{name:<{width}}  {s:7.1f}  {gib:4.2f}{'  slow' if s > WARN_SECONDS else ''}")
    mean = sum(s for s, _ in costs.values()) / max(len(costs), 1)
    return [*lines, f"{'mean':<{width}}  {mean:7.1f}"]


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing: to a temporary name beside it, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def record(name: str, device: str, seconds: float, gib: float) -> None:
    """Store what one notebook cost on a device ("cpu" or "gpu") in `results/notebooks.json`."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    rows.setdefault(name, {})[device] = {"seconds": round(seconds, 1), "gib": round(gib, 2)}
    known = {key(path) for path in notebooks()}
    rows = {k: rows[k] for k in sorted(rows) if k in known}
    write_text(RESULTS, json.dumps(rows, indent=1) + "\n")
