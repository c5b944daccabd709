"""Execute the chapters in fresh kernels and store their outputs: `python tools/notebooks.py [PATH ...]`.

Without a path, all of notebooks/. A notebook that fails is left as it was, its numbers in results/ too, and
the others go on.
"""

import argparse
import base64
import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import budget
import fresh
import nbformat
import torch
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from medtut.checks import stem

WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"}
COLOURS = 96  # of a stored figure
CELL_NOISE = ("execution", "ExecuteTime", "collapsed", "scrolled", "jupyter", "trusted", "vscode", "colab")


def lighter(png: str) -> str:
    """A picture, base64, on white and with COLOURS colours, which halves it; itself if that is no smaller."""
    raw = base64.b64decode(png)
    with Image.open(io.BytesIO(raw)) as picture:
        flat = Image.new("RGB", picture.size, "white")
        flat.paste(picture, mask=picture.convert("RGBA").getchannel("A"))
    found = io.BytesIO()
    flat.quantize(COLOURS, dither=Image.Dither.NONE).save(found, "PNG", optimize=True)
    return base64.b64encode(found.getvalue()).decode() if found.tell() < len(raw) else png


def clean(nb: nbformat.NotebookNode) -> None:
    """Take out what differs from run to run and teaches nothing: times, versions, widgets, bytes."""
    kept = {name: nb.metadata[name] for name in ("mystnb",) if name in nb.metadata}
    nb.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE, **kept})
    for number, cell in enumerate(nb.cells):
        cell.id = f"cell-{number:03d}"
        for name in CELL_NOISE:
            cell.metadata.pop(name, None)
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop("execution", None)
            if "image/png" in output.get("data", {}) and "film" not in cell.metadata.get("tags", []):
                output.data["image/png"] = lighter(output.data["image/png"])  # a film is light already
            if WIDGET in output.get("data", {}):
                output.data[WIDGET]["model_id"] = ""


def stderr(nb: nbformat.NotebookNode) -> str | None:
    """What a reader would see in red, with the cell that wrote it; None if no cell did."""
    for number, cell in enumerate(nb.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                return f"cell {number} wrote to stderr: {output.text.strip()}"
    return None


def execute(path: Path, say) -> tuple[nbformat.NotebookNode, float, float]:
    """Run one notebook in a fresh kernel, in its own folder; the notebook, its seconds and its peak GiB."""
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    where = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(nb, kernel_name="python3", timeout=600, resources=where,
                            record_timing=False, coalesce_streams=True)
    start = time.perf_counter()
    with client.setup_kernel(stderr=subprocess.DEVNULL):  # what cells write comes by message
        for number, cell in enumerate(nb.cells):
            say(f"cell {number + 1}/{len(nb.cells)}")
            client.execute_cell(cell, number, execution_count=None)
        seconds = time.perf_counter() - start
        gib = budget.peak_gib(client.km.provisioner.pid)
    return nb, seconds, gib


def store(path: Path, say) -> tuple[float, float] | str:
    """Execute, clean and write one notebook; its (seconds, GiB), or one message if nothing was written."""
    numbers = budget.ROOT / "results" / f"{stem(budget.key(path))}.json"
    before = numbers.read_text(encoding="utf-8") if numbers.exists() else None
    done = attempt(path, say)
    if isinstance(done, str) and before is not None:
        budget.write_text(numbers, before)
    elif isinstance(done, str):
        numbers.unlink(missing_ok=True)
    return done


def attempt(path: Path, say) -> tuple[float, float] | str:
    """`store` without the care for results/."""
    try:
        nb, seconds, gib = execute(path, say)
    except CellExecutionError as error:
        return re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    fault = stderr(nb)
    if fault:
        return fault
    for number, cell in enumerate(c for c in nb.cells if c.cell_type == "code"):
        cell.execution_count = number + 1
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number + 1
    clean(nb)
    nbformat.validate(nb)
    text = nbformat.writes(nb) + "\n"
    if len(text.encode()) > budget.MAX_BYTES:
        return f"{len(text.encode()) / 2**20:.2f} MiB with its outputs; at most 1 MiB is stored."
    budget.write_text(path, text)
    return seconds, gib


def device() -> str:
    """Where the kernels will compute: "gpu" if torch sees one."""
    return "gpu" if torch.cuda.is_available() else "cpu"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks or folders; default: all chapters")
    given = [p.resolve() for p in parser.parse_args(arguments).paths]
    chosen = [n for n in budget.notebooks() if not given or any(n == p or p in n.parents for p in given)]
    if not chosen:
        print("No notebook was found at the paths given; give a .ipynb file or a folder under notebooks/.")
        return 2
    os.environ["MEDTUT_RECORD"] = "1"  # the kernels inherit it: mt.checks.report stores what it is given
    failed, where, live = [], device(), sys.stdout.isatty()
    for number, path in enumerate(chosen, 1):
        head = f"[{number}/{len(chosen)}] {budget.key(path)}"
        say = (lambda text, head=head: print(f"\r\x1b[K{head}  {text}", end="", flush=True)) if live else (
            lambda text: None)
        done = store(path, say)
        start = "\r\x1b[K" if live else ""
        if isinstance(done, str):
            failed.append(path)
            print(f"{start}{head}  FAILED, left as it was\n{done}", flush=True)
        else:
            budget.record(budget.key(path), where, *done)
            fresh.record(f"results/{stem(budget.key(path))}.json")
            print(f"{start}{head}  {done[0]:.1f} s  {done[1]:.2f} GiB", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
