"""Results that appear all at once or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BadInput


@contextmanager
def all_or_nothing(out: str | Path) -> Iterator[Path]:
    """A scratch folder inside `out`; its files are renamed into `out` at the end, or vanish with any error.

    A folder that did not exist before is removed again if nothing was written.
    """
    out = Path(out)
    made = next((p for p in [*reversed(out.parents), out] if not p.exists()), None)
    try:
        out.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out))
    except OSError as cause:
        raise BadInput(f"{out} cannot be written to; choose another folder with --out.") from cause
    try:
        yield scratch
        for file in sorted(scratch.iterdir()):
            os.replace(file, out / file.name)
        made = None
    finally:
        shutil.rmtree(made or scratch, ignore_errors=True)
