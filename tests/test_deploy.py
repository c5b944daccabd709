"""The files for servers and for rooms without a network, on small made-up inputs and without any download."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import room  # noqa: E402

VALUES = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text(encoding="utf-8"))
CONTAINER = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
MEASURED = json.loads((ROOT / "deploy" / "measured.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def extension():
    """book/ext/teach.py."""
    spec = importlib.util.spec_from_file_location("teach_extension", ROOT / "book" / "ext" / "teach.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def gib(text: str) -> float:
    """JupyterHub's G is 2**30 bytes."""
    return float(re.fullmatch(r"([\d.]+)G", text)[1])


def test_a_learner_gets_the_measured_memory_and_a_margin(extension):
    rows = extension.cpu_rows(ROOT)
    n = extension.needs(rows, MEASURED)
    peak = max(row["gib"] for row in rows.values())
    assert MEASURED["margin"] >= 1.25 and MEASURED["server_gib"] > 0.03
    memory = VALUES["singleuser"]["memory"]
    assert gib(memory["limit"]) == n["limit"] >= peak * MEASURED["margin"] + MEASURED["server_gib"]
    assert gib(memory["guarantee"]) == n["guarantee"] < n["limit"]


def test_the_arithmetic_on_two_chapters(extension):
    rows = {"a": {"seconds": 10.0, "gib": 1.0}, "b": {"seconds": 30.0, "gib": 0.5}}
    n = extension.needs(rows, {"server_gib": 0.1, "margin": 1.5})
    assert (n["largest"], n["slowest"], n["peak"], n["limit"], n["guarantee"]) == ("a", "b", 1.0, 2.0, 1.0)


def test_processors_are_those_of_the_page(extension):
    cpu = VALUES["singleuser"]["cpu"]
    assert cpu["guarantee"] == 1 / extension.SHARED_CORES and cpu["limit"] == 2
    assert VALUES["singleuser"]["extraEnv"]["OMP_NUM_THREADS"] == "2"


def test_the_hub_guide_has_the_same_limits():
    text = (ROOT / "book" / "teach" / "hub.md").read_text(encoding="utf-8")
    assert f"limits.memory {VALUES['singleuser']['memory']['limit']}" in text
    assert f"limits.cpu {VALUES['singleuser']['cpu']['limit']}" in text


def test_the_container_file():
    lines = [line for line in CONTAINER.splitlines() if not line.startswith("#")]
    instructions = [line.split()[0] for line in lines if re.match(r"[A-Z]+ ", line)]
    assert lines[0] == "FROM docker.io/library/python:3.11-slim" and "USER" in instructions
    assert instructions.index("USER") > instructions.index("COPY"), "what runs has no rights"
    assert 'CMD ["medtut", "doctor"]' in CONTAINER
    assert not re.search(r"https?://|--extra-index-url", CONTAINER), "the index is an argument"
    assert 'ARG TORCH_INDEX=""' in CONTAINER
    for name in re.findall(r"requirements[\w-]*\.lock", CONTAINER):
        assert (ROOT / name).is_file()
    start = VALUES["singleuser"]["defaultUrl"].removeprefix("/lab/tree/")
    assert (ROOT / start).is_file() and start in CONTAINER
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{VALUES["singleuser"]["image"]["tag"]}"' in project


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A repository of three files with a built site, and a pip that writes one wheel."""
    root = tmp_path / "repository"
    for name, text in {
        "requirements.lock": "a==1\n",
        "medtut/a.py": "",
        "_build/html/index.html": "site",
        "_build/html/launch/a.ipynb": "{}",
        "runs/large.bin": "x",
        ".gitignore": "_build/\nruns/\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    calls, real = [], subprocess.run

    def run(call, **options):
        if "pip" not in call:
            return real(call, **options)
        calls.append(call)
        Path(call[call.index("-d") + 1], "a-1-py3-none-any.whl").write_bytes(b"wheel")
        return subprocess.CompletedProcess(call, 0)

    monkeypatch.setattr(room.subprocess, "run", run)
    return root, tmp_path / "stick", calls


def test_a_stick_has_everything(small, capsys):
    root, stick, calls = small
    assert room.main([str(stick), "--platform", "win_amd64", "--", "--extra-index-url", "ADDRESS"], root) == 0
    there = {str(p.relative_to(stick)) for p in stick.rglob("*") if p.is_file()}
    assert there == {
        "README.txt",
        "wheels/a-1-py3-none-any.whl",
        "course/requirements.lock",
        "course/medtut/a.py",
        "course/.gitignore",
        "site/index.html",
        "site/launch/a.ipynb",
    }
    assert calls[0][-6:] == ["--only-binary", ":all:", "--platform", "win_amd64", "--python-version", "3.12"]
    assert "ADDRESS" in calls[0]
    text = (stick / "README.txt").read_text()
    assert text.count("--no-index") == 2 and r".venv\Scripts\python -m medtut fetch" in text
    assert "in all" in capsys.readouterr().out


def test_a_stick_needs_the_site(small, capsys):
    root, stick, calls = small
    (root / "_build" / "html" / "index.html").unlink()
    assert room.main([str(stick)], root) == 2
    assert calls == [] and "make book" in capsys.readouterr().out


def test_fetch_says_when_the_network_may_go(monkeypatch, capsys):
    from medtut.__main__ import main
    from medtut.cli import doctor, fetch

    monkeypatch.setattr(doctor, "prior_works", lambda: iter([doctor.Finding(True, "one prior")]))
    monkeypatch.setattr(doctor.prior_works, "__doc__", "One image.")
    monkeypatch.setattr(fetch, "MODULES", ("ipywidgets",))
    assert main(["fetch"]) == 0
    assert fetch.READY in capsys.readouterr().out


def test_fetch_refuses_a_damaged_weight_file(monkeypatch, capsys):
    from medtut.cli import doctor, fetch

    monkeypatch.setattr(fetch, "warm", lambda: iter(()))
    monkeypatch.setattr(fetch.warm, "__doc__", "Nothing.")
    for name in ("packages", "prior_works", "template"):
        monkeypatch.setattr(doctor, name, lambda: iter(()))
        monkeypatch.setattr(getattr(doctor, name), "__doc__", "Nothing.")
    monkeypatch.setattr(
        doctor, "weight_files", lambda: iter([doctor.Finding(False, "weights x", "get them")])
    )
    monkeypatch.setattr(doctor.weight_files, "__doc__", "Weights.")
    assert fetch.run() == 1
    said = capsys.readouterr().out
    assert "FAULT weights x" in said and "do not go offline" in said and fetch.READY not in said
