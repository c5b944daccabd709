"""The files at the top of the repository agree with each other."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
LINE = re.compile(r"([a-z0-9][a-z0-9-]*)==([0-9][0-9a-z.]*)")
TARGETS = {"setup", "book", "lab", "test", "notebooks", "bench", "peers", "weights", "serve", "slides",
           "pdf", "room", "mutate", "clean"}


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in text if line and not line.startswith("#")]


def lock(name: str) -> dict[str, str]:
    """Package to version; a line of any other form than `name==version` fails."""
    rows = [LINE.fullmatch(line) for line in lines(name) if not line.startswith("-r ")]
    assert all(rows), f"{name} holds a line that is not name==version"
    assert len({row[1] for row in rows}) == len(rows), f"{name} names a package twice"
    return {row[1]: row[2] for row in rows}


BOOK = lock("requirements-book.lock")
REST = lock("requirements.lock")
PEERS = lock("requirements-peers.lock")


def violations(requirements: list[str], locked: dict[str, str]) -> list[str]:
    """The requirements that the lock does not meet."""
    needed = [Requirement(r) for r in requirements]
    return [str(r) for r in needed if not r.specifier.contains(locked.get(canonicalize_name(r.name), "none"))]


def test_the_two_locks_are_one():
    assert lines("requirements.lock")[0] == "-r requirements-book.lock"
    assert not set(BOOK) & set(REST)


def test_the_lock_meets_pyproject():
    everything = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    everything += [r for extra in EXTRAS.values() for r in extra]
    assert violations(everything, {**BOOK, **REST}) == []


def test_the_book_needs_no_torch():
    assert violations(EXTRAS["book"], BOOK) == []
    assert not {"torch", "monai", "numpy", "matplotlib"} & set(BOOK)


def test_the_peers_add_to_the_lock_and_change_nothing_in_it():
    assert lines("requirements-peers.lock")[0] == "-r requirements.lock"
    assert "deepinv" in PEERS
    assert not set(PEERS) & {*BOOK, *REST}


LOCKS = ["requirements.lock", "requirements-book.lock", "requirements-peers.lock"]


@pytest.mark.parametrize("name", [*LOCKS, "environment.yml"])
def test_no_addresses(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|index-url|find-links|--hash|@", text)


def test_conda_installs_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == PROJECT["project"]["name"]
    python, pip = environment["dependencies"][0], environment["dependencies"][-1]["pip"]
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(python.removeprefix("python="))
    assert pip[0] == "-r requirements.lock"
    assert Requirement(pip[1].replace("-e .", "medtut")).extras == set(EXTRAS)


def test_python_versions_of_the_canary():
    canary = yaml.safe_load((ROOT / ".github/workflows/canary.yml").read_text(encoding="utf-8"))
    matrix = canary["jobs"]["newest"]["strategy"]["matrix"]
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    assert matrix["python"] == [v for v in (f"3.{n}" for n in range(8, 20)) if allowed.contains(v)]
    assert {os.split("-")[0] for os in matrix["os"]} == {"ubuntu", "windows", "macos"}


def recipes() -> dict[str, list[str]]:
    """Targets of the Makefile and their commands."""
    found, target = {}, None
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        if line.startswith("\t"):
            found[target].append(line.strip())
        elif match := re.match(r"([a-z.A-Z/-]+):(?!=)", line):
            target = match[1]
            found.setdefault(target, [])
    return found


def test_make_targets_are_thin():
    made = recipes()
    assert set(made) >= TARGETS
    assert {target for target, commands in made.items() if len(commands) > 3} == set()


def test_contributing_gives_each_target_for_powershell():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {name for name in TARGETS if f"| `make {name}` |" not in text} == set()


def test_ci_runs_what_the_readme_says():
    script = ROOT / ".ci/run"
    assert script.read_text(encoding="utf-8").splitlines()[-1].startswith("make test")
    assert "\nmake test " in (ROOT / "README.md").read_text(encoding="utf-8")


def test_one_version_and_one_address():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = PROJECT["project"]
    assert citation["version"] == project["version"]
    assert citation["repository-code"] == project["urls"]["Homepage"]
    assert f"\n## {project['version']}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"git clone {project['urls']['Homepage']} " in (ROOT / "README.md").read_text(encoding="utf-8")


def test_local_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    local = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_readme_maps_every_chapter():
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    chapters = re.findall(r"file: (notebooks/\S+)", toc)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert chapters == [link.removesuffix(".ipynb") for link in re.findall(r"\]\((notebooks/\S+)\)", text)]
