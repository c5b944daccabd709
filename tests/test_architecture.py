"""The shape of the code: which way imports point, how long things are, what is never used."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = sorted((ROOT / "medtut").rglob("*.py"))
FOLDERS = ("medtut", "tests", "tools", "benchmarks", "book/ext")
CODE = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
LEAVES = {"errors", "noise"}  # any room may use these
ALL = None
ALLOWED = {  # room: the rooms it may import besides the leaves
    "errors": set(),
    "noise": set(),
    "schedules": set(),
    "operators": set(),
    "nets": set(),
    "nets_implicit": set(),
    "nets_conditional": {"nets", "text"},
    "text": set(),
    "classifiers": {"denoisers", "nets"},
    "checkpoint": set(),
    "objectives": {"denoisers", "supervised"},
    "metrics": set(),
    "calibration": set(),
    "score_matching": set(),
    "data": {"text"},
    "checks": set(),
    "plots": set(),
    "widgets": {"plots"},
    "exercises": {"checks"},
    "denoisers": {"schedules"},
    "weightings": {"denoisers"},
    "physics": {"operators"},
    "samplers": {"schedules", "denoisers"},
    "exact": {"denoisers", "operators"},
    "families": {"denoisers", "samplers", "schedules"},
    "nets_families": {"families", "nets"},
    "posterior": {"schedules", "denoisers", "operators", "physics", "samplers"},
    "unrolled": {"nets", "operators", "physics"},
    "supervised": {"data", "operators", "physics"},
    "weights": {"classifiers", "denoisers", "nets", "nets_conditional", "nets_families", "unrolled"},
    "train": {"checkpoint", "classifiers", "data", "denoisers", "objectives", "schedules", "supervised",
              "unrolled", "weights"},
    "interchange": {"schedules"},
    "publish": {"interchange"},
    "tasks": {"data", "denoisers", "metrics", "operators", "physics", "samplers", "supervised", "weights"},
    "recipes": {"checkpoint", "data", "denoisers", "families", "metrics", "nets_families", "objectives",
                "supervised", "train", "weights"},
    "cli": ALL,  # what __main__ is made of
    "__init__": ALL,
    "__main__": ALL,
}
QUIET = {"samplers", "posterior", "physics"}
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[1]


def imports(path: Path) -> set[str]:
    """Absolute dotted names of all that a file imports, also inside functions; names from a module count."""
    found, package = set(), path.relative_to(ROOT).parent.parts
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_arrows_point_one_way(path):
    used = {i.split(".")[1] for i in imports(path) if i.startswith("medtut.")} - {room(path)} - LEAVES
    assert room(path) in ALLOWED, f"{room(path)} is a new room: say here what it may use"
    allowed = ALLOWED[room(path)]
    assert allowed is ALL or used <= allowed


@pytest.mark.parametrize("path", CODE, ids=name)
def test_short(path):
    """Files of at most 300 lines, functions of at most 60."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    functions = [n for n in ast.walk(parse(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [f.name for f in functions if f.end_lineno - f.lineno + 1 > 60] == []


@pytest.mark.parametrize("path", CODE, ids=name)
def test_nothing_unwanted_is_imported(path):
    roots = {i.split(".")[0] for i in imports(path)}
    assert not roots & {"torchvision", "hydra", "wandb", *UNPICKLERS}
    if path in PACKAGE:
        assert not roots & {"notebooks", "tests", "tools", "benchmarks"}


@pytest.mark.parametrize("path", [p for p in PACKAGE if room(p) in QUIET], ids=name)
def test_no_progress_bar_in_a_sampler(path):
    assert "tqdm" not in {i.split(".")[0] for i in imports(path)}


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_nothing_is_unpickled(path):
    """torch.load may unpickle, numpy.load does when told so."""
    calls = [n for n in ast.walk(parse(path)) if isinstance(n, ast.Call)]
    loads = [ast.unparse(c.func) for c in calls]
    assert not {"torch.load", "torch.jit.load", "eval", "exec"} & set(loads)
    given = [k.value for c in calls for k in c.keywords if k.arg == "allow_pickle"]
    assert all(isinstance(value, ast.Constant) and value.value is False for value in given)


@pytest.mark.parametrize("path", [p for p in PACKAGE if p.name != "__main__.py"], ids=name)
def test_public_names_are_explained(path):
    """Each public function and class of a module has a docstring: the API pages show it."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    public = [n for n in parse(path).body if isinstance(n, kinds) and not n.name.startswith("_")]
    assert [n.name for n in public if not ast.get_docstring(n)] == []


def test_every_import_is_declared():
    """What the package imports stands in pyproject.toml; nothing comes by way of another package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["nufft"]]  # asked for in words
    declared = {canonicalize_name(Requirement(r).name) for r in wanted}
    roots = {i.split(".")[0] for path in PACKAGE for i in imports(path)}
    roots -= sys.stdlib_module_names | {"medtut"}
    owners = packages_distributions()
    assert {r for r in roots if not {canonicalize_name(d) for d in owners[r]} & declared} == set()


def test_every_module_of_the_package_ships():
    """A folder of Python files without __init__.py would be left out of the wheel."""
    assert {p.parent for p in PACKAGE if not (p.parent / "__init__.py").exists()} == set()
