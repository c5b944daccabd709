"""Marks exercises and prints measured numbers so that every machine prints the same.

Results of chapter `1_foundations/02_ddpm` live in `results/foundations_ddpm.json`, its exercise checkers in
`medtut/exercises/foundations_ddpm.py`. Recording happens only when the environment says MEDTUT_RECORD=1.
"""
import importlib
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

PACKED = Path(__file__).resolve().parent / "results"  # only in an installed wheel; setup.py puts it there
RESULTS = PACKED if PACKED.is_dir() else PACKED.parents[1] / "results"
CHECKERS: dict[str, Callable] = {}
_current = {"stem": None, "recorded": {}}


class NotYet(Exception):
    """An answer that is not right yet; its message says what to think of."""


def stem(chapter: str) -> str:
    """"1_foundations/02_ddpm" -> "foundations_ddpm": the chapter's name without its numbers."""
    return "_".join(re.sub(r"^\d+_", "", part) for part in chapter.strip("/").split("/"))


def chapter(name: str) -> None:
    """Open chapter `name` ("1_foundations/02_ddpm"): its recorded results and its checkers; TF32 off."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    _current["stem"] = stem(name)
    _current["recorded"] = {} if _recording() else _read(stem(name))
    load_checkers(stem(name))


def load_checkers(name: str) -> None:
    """Import `medtut/exercises/<name>.py`, whose functions register themselves; none is an empty chapter."""
    module = f"medtut.exercises.{name}"
    if importlib.util.find_spec(module):
        importlib.import_module(module)


def exercise(identifier: str) -> Callable:
    """Decorator: the function checks answers to `identifier`; it returns praise or raises `NotYet`."""
    def register(function):
        CHECKERS[identifier] = function
        return function
    return register


def mark(identifier: str, answer) -> None:
    """Print "correct: …" or "not yet: …" for `answer`; never raises."""
    print(verdict(identifier, answer))


def verdict(identifier: str, answer) -> str:
    """The sentence that `mark` prints."""
    if _blank(answer):
        return "not yet: replace the dots with your answer"
    if identifier not in CHECKERS:
        return f"not yet: no exercise is called {identifier!r}; run the chapter's first cell, then this one"
    try:
        praise = CHECKERS[identifier](answer)
    except NotYet as problem:
        return f"not yet: {problem}"
    except Exception as error:  # the learner's own function may raise anything, and mark must go on
        if "ellipsis" in str(error):
            return "not yet: replace the dots with your answer"
        return f"not yet: your answer raised {type(error).__name__}: {error}"
    return f"correct: {praise}"


def require(condition, message: str) -> None:
    """Raise `NotYet(message)` unless `condition`."""
    if not bool(condition):
        raise NotYet(message)


def compare(got, want, known: Mapping[str, object] | None = None, otherwise: str = "the value differs",
            tol: float = 1e-3) -> None:
    """Raise `NotYet` unless got = want to `tol` times max|want|; numbers, arrays, tensors or tuples of them.

    `known` maps a message to the wrong value that earns it; `otherwise` answers all other wrong values.
    """
    if isinstance(want, tuple):
        require(isinstance(got, tuple | list) and len(got) == len(want), f"give {len(want)} values")
        for part, target in zip(got, want, strict=True):
            compare(part, target, known, otherwise, tol)
        return
    require(not _blank(got), "replace the dots with your answer")
    got, want = _number(got), _number(want)
    require(got.shape == want.shape,
            f"the shape is {tuple(got.shape)}, and {tuple(want.shape)} is needed")
    require(not got.isnan().any(), "there is a NaN in it: look for 0/0 or a root of a negative number")
    if _close(got, want, tol):
        return
    for message, wrong in (known or {}).items():
        wrong = _number(wrong)
        require(not (wrong.shape == got.shape and _close(got, wrong, tol)), message)
    raise NotYet(otherwise)


def report(name: str, value, tol, unit: str = "", se=None) -> None:
    """Print measured `value` to the digits that `tol` allows, as recorded; both numbers if they differ more.

    `se` is the Monte-Carlo standard error behind `value`, if it has one: a test holds tol <= 2 % of |value|,
    or <= 0.1 dB, or <= 3 se. Where nothing is recorded, prints `value` and says so.
    """
    value, tol, unit = float(value), float(tol), f" {unit}" if unit else ""
    if tol <= 0:
        raise ValueError(f"report({name!r}) got tol={tol}; a positive tolerance is needed")
    if _recording():
        entry = {"value": value, "tol": tol, "unit": unit.strip()}
        _record(name, entry | ({} if se is None else {"se": float(se)}))
    known = _current["recorded"].get(name)
    if known is None:
        print(f"{name}: {_digits(value, tol)}{unit} (nothing recorded to compare with)")
    elif abs(known["value"] - value) <= tol:
        print(f"{name}: {_digits(known['value'], tol)}{unit}")
    else:
        print(f"{name}: {value:.6g}{unit} here, {known['value']:.6g}{unit} recorded, more than {tol:g} apart")


def _digits(value, tol):
    places = -math.floor(math.log10(tol) + 1e-9)
    return f"{round(value, places) + 0.0:.{max(places, 0)}f}"  # + 0.0 turns -0.0 into 0.0


def _recording():
    return os.environ.get("MEDTUT_RECORD") == "1"


def _read(name):
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _record(name, entry):
    if _current["stem"] is None:
        raise RuntimeError("recording needs mt.checks.chapter(\"part/chapter\") in the first cell")
    _current["recorded"][name] = entry
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{_current['stem']}.json"
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(_current["recorded"], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def _blank(answer):
    return answer is None or answer is Ellipsis or answer is NotImplemented


def _number(value):
    return torch.as_tensor(value).detach().cpu().to(torch.float64)


def _close(got, want, tol):
    return bool((got - want).abs().max() <= tol * max(float(want.abs().max()), 1e-12))
