"""The command line: what it answers, and that bad input gets one sentence, exit code 2 and no file."""

import json
import re
import subprocess
import sys
import time

import h5py
import nibabel
import numpy as np
import pytest
import torch
import yaml
from made_files import PATIENT, blob, dicom_series, fastmri, save
from test_files import cut, nifti, without_pixels

import medtut.weights
from medtut import recipes, train
from medtut.__main__ import main
from medtut.cli import papers, reconstruct

PROGRESS = re.compile(r"\d+/\d+ \[.*(it|step)/s")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Every command runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def image(path):
    """A volume that `reconstruct` accepts."""
    return nifti(path, blob((60, 72, 9)))


def refused(arguments: list, capsys, folder) -> str:
    """The one sentence of a refusal; nothing new may lie in the folder afterwards."""
    before = sorted(folder.rglob("*"))
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    said = [line for line in captured.err.split("\n") if line and not PROGRESS.search(line)]
    assert code == 2
    assert len(said) == 1
    assert said[0].startswith("medtut: ")
    assert said[0].endswith(".")
    assert "Traceback" not in captured.err + captured.out
    assert sorted(folder.rglob("*")) == before
    return said[0]


def complex_npy(d):
    np.save(d / "a.npy", np.ones((64, 64)) * 1j)
    return d / "a.npy"


def hounsfield(d):
    return nifti(d / "ct.nii", blob((60, 72, 9)) - 1000)


def unsampled_centre(d):
    k = np.random.default_rng(0).normal(size=(1, 2, 256, 128)) + 0j
    return fastmri(d / "a.h5", k.astype(np.complex64), mask=np.arange(128) % 4 == 1)


def without_kspace(d):
    with h5py.File(d / "a.h5", "w") as file:
        file["pictures"] = np.ones((2, 2))
    return d / "a.h5"


REFUSALS = {
    "missing file": (lambda d: [d / "none.nii"], "does not exist"),
    "wrong shape": (lambda d: [nifti(d / "a.nii", np.ones((9, 9, 3), np.int16))], "16 x 16 or more"),
    "complex where real is needed": (lambda d: [complex_npy(d)], "real magnitude image is needed"),
    "NaN": (lambda d: [nifti(d / "a.nii", np.full((32, 32, 3), np.nan, np.float32))], "NaN"),
    "negative noise": (
        lambda d: [image(d / "a.nii"), "--noise", "-0.1"],
        "got -0.1, but a number of 0 or more",
    ),
    "noise that is NaN": (lambda d: [image(d / "a.nii"), "--noise", "nan"], "got nan"),
    "mask without centre lines": (
        lambda d: [image(d / "a.nii"), "--centre", 0, "--coils", 4],
        "in the centre",
    ),
    "centre lines unmeasured": (lambda d: [unsampled_centre(d)], "in the centre"),
    "more centre lines than lines": (
        lambda d: [image(d / "a.nii"), "--centre", 0.5],
        "smaller centre_fraction",
    ),
    "DICOM without pixels": (lambda d: [without_pixels(d / "a.dcm")], "without pixels"),
    "truncated NIfTI": (lambda d: [cut(image(d / "a.nii.gz"))], "not a whole NIfTI"),
    "HDF5 without k-space": (lambda d: [without_kspace(d)], "pictures"),
    "Hounsfield units": (lambda d: [hounsfield(d)], "give an MR image"),
    "nothing but air": (
        lambda d: [nifti(d / "a.nii", np.zeros((32, 32, 3), np.int16))],
        "nothing brighter than 0",
    ),
    "slice out of range": (lambda d: [image(d / "a.nii"), "--slice", 9], "slices 0 to 8"),
    "unknown method": (lambda d: [image(d / "a.nii"), "--method", "magic"], "magic"),
    "acceleration below 1": (lambda d: [image(d / "a.nii"), "--acceleration", 0.5], "from 1 to 32"),
    "half a step": (lambda d: [image(d / "a.nii"), "--steps", 0.5], "whole number"),
    "out is a file": (lambda d: [image(d / "a.nii"), "--out", d / "a.nii"], "choose another folder"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_to_reconstruct(case, tmp_path, capsys, prior):
    make, words = REFUSALS[case]
    arguments = ["reconstruct", "--steps", 2, "--samples", 1, *make(tmp_path)]
    assert words in refused(arguments, capsys, tmp_path)
    assert prior.calls == 0


@pytest.fixture
def prior(monkeypatch):
    """In place of the shipped prior: the exact denoiser of white noise, which counts its calls."""

    class White(torch.nn.Module):
        calls, answer = 0, 1.0

        def forward(self, x, sigma, label=None):
            self.calls += 1
            return self.answer * x * 0.1 / (0.1 + sigma**2)

    white = White()
    monkeypatch.setattr(medtut.weights, "load", lambda name, device=None: white)
    return white


def test_wrong_hash(tmp_path, capsys, monkeypatch):
    """A weight file that is not the manifest's is named and not loaded."""
    folder = tmp_path / "weights"
    folder.mkdir()
    name = reconstruct.PRIOR
    medtut.weights.save(name, {"a": torch.ones(3)}, {"steps": 1}, folder)
    path = folder / f"{name}.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    load = medtut.weights.load
    monkeypatch.setattr(medtut.weights, "load", lambda name, device=None: load(name, device, folder=folder))
    sentence = refused(["reconstruct", image(tmp_path / "a.nii")], capsys, tmp_path)
    assert re.search(f"{name}.safetensors has sha256 .* the manifest says", sentence)


def test_unknown_names(tmp_path, capsys):
    assert "magic" in refused(["sample", "magic"], capsys, tmp_path)
    assert "magic" in refused(["train", "magic"], capsys, tmp_path)
    assert "magic" in refused(["magic"], capsys, tmp_path)
    assert "COMMAND" in refused([], capsys, tmp_path)
    assert "contrast 'X9'" in refused(["sample", "brain-128", "--contrast", "X9"], capsys, tmp_path)


def test_a_failure_half_way_leaves_nothing(tmp_path, capsys, prior, monkeypatch):
    """A sampler that diverges, an interrupt and a full disk: no file, no folder; older results stay."""
    path = image(tmp_path / "a.nii")
    arguments = ["reconstruct", path, "--steps", 2, "--samples", 2, "--out", "deep/out"]
    prior.answer = float("nan")
    assert "diverged" in refused(arguments, capsys, tmp_path)
    prior.answer = 1.0
    assert main([str(a) for a in arguments]) == 0
    kept = (tmp_path / "deep/out/metrics.json").read_bytes()
    capsys.readouterr()

    def interrupt(*_):
        raise KeyboardInterrupt

    def full(*_):
        raise OSError(28, "No space left on device")

    for accident, words in ((interrupt, "stopped"), (full, "No space left")):
        monkeypatch.setattr(reconstruct, "panel", accident)
        assert words in refused(arguments, capsys, tmp_path)
        assert (tmp_path / "deep/out/metrics.json").read_bytes() == kept


def test_interrupted_and_damaged_training(tmp_path, capsys, monkeypatch):
    """An interrupt says how to go on; a state that is cut short is refused by name."""
    run = ["train", "tiny", "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert main([*run, "--steps", "2"]) == 0
    said = capsys.readouterr().out
    assert str(tmp_path / "run" / "loss.png") in said
    assert (tmp_path / "run" / "loss.png").stat().st_size > 1000

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(train, "update", interrupt)
        assert "the same command goes on" in refused(run, capsys, tmp_path)
    cut(tmp_path / "run" / "state.safetensors")
    assert "state.safetensors is damaged" in refused(run, capsys, tmp_path)


def test_doctor(tmp_path, capsys, monkeypatch):
    """No fault here in under 30 s; with a damaged weight file it exits with 1 and gives the mend."""
    began = time.perf_counter()
    assert main(["doctor"]) == 0
    assert time.perf_counter() - began < 30
    said = capsys.readouterr().out
    assert f"torch {torch.__version__.split('+')[0]}" in said
    for name in medtut.weights.names():
        assert f"weights {name}: sha256 as in the manifest" in said
    assert "FAULT" not in said
    medtut.weights.save("brain-128", {"a": torch.ones(3)}, {"steps": 1}, tmp_path)
    cut(tmp_path / "brain-128.safetensors")
    monkeypatch.setattr(medtut.weights, "FOLDER", tmp_path)
    monkeypatch.setattr(medtut.weights, "manifest", lambda: {"brain-128": {"sha256": "0" * 64}})
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "FAULT weights brain-128: missing or damaged" in said
    assert re.search(r"mend: run `git checkout", said)


def test_list(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for name in {*medtut.weights.names(), *recipes.RECIPES}:
        assert name in said


def test_papers(capsys, tmp_path, monkeypatch):
    rows = [
        {"key": "chung2023dps", "name": "DPS", "kind": "function", "code": "medtut.posterior.guidance:dps"},
        {"key": "x2022pigdm", "name": "ΠGDM", "kind": "function", "differs": "nothing"},
        {"key": "y2023blinddps", "name": "Blind-DPS", "kind": "function"},
    ]
    monkeypatch.setattr(papers, "TABLE", tmp_path / "papers.yml")
    assert "comes with the clone" in refused(["papers", "dps"], capsys, tmp_path)
    papers.TABLE.write_text(yaml.safe_dump(rows, allow_unicode=True), encoding="utf-8")
    assert main(["papers", "dps"]) == 0
    said = capsys.readouterr().out
    assert "DPS [chung2023dps]" in said
    assert "Blind" not in said
    assert main(["papers", "blind dps"]) == 0
    assert main(["papers", "PIGDM"]) == 0
    assert "nothing" in capsys.readouterr().out
    assert "it has DPS" in refused(["papers", "DPX"], capsys, tmp_path)


def test_sample(tmp_path, capsys, prior):
    """A PNG and an array, the same for the same seed, another for another."""
    arrays = []
    for seed in ("3", "3", "4"):
        arguments = [
            "sample",
            "brain-128",
            "--n",
            "3",
            "--steps",
            "2",
            "--contrast",
            "t2",
            "--position",
            "0.5",
        ]
        assert main([*arguments, "--seed", seed, "--out", "s"]) == 0
        arrays.append(np.load(tmp_path / "s" / "brain-128.npy"))
    assert arrays[0].shape == (3, 1, 128, 128)
    assert np.array_equal(arrays[0], arrays[1])
    assert not np.allclose(arrays[0], arrays[2])
    assert (tmp_path / "s" / "brain-128.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["brain-128.npy", "brain-128.png"]
    assert "not trained on CT" in refused(
        ["sample", "brain-128-complex", "--contrast", "CT"], capsys, tmp_path
    )


def test_no_patient_field_in_any_output(tmp_path, capfd, prior):
    folder = dicom_series(tmp_path / "series", blob((60, 72, 5)), np.diag([3, 3, 5, 1]))
    assert main(["reconstruct", str(folder), "--steps", "2", "--samples", "2", "--out", "out"]) == 0
    said = "".join(capfd.readouterr())
    contents = [
        said.encode(),
        *((tmp_path / "out" / name).read_bytes() for name in ("panel.png", "metrics.json")),
    ]
    contents.append(bytes(nibabel.load(tmp_path / "out" / "reconstruction.nii.gz").header.binaryblock))
    assert len(json.loads(contents[2])["scores"]["chi_square_of_each_sample"]) == 2
    for secret in (*PATIENT.split("^"), "12051820", "18200512"):
        assert not any(secret.encode() in content for content in contents)


def test_as_a_program(tmp_path):
    """`python -m medtut`: exit codes reach the shell."""
    save(nibabel.Nifti1Image(blob(), np.eye(4)), tmp_path / "a.nii")
    call = [sys.executable, "-m", "medtut", "reconstruct", "a.nii", "--noise", "-1"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
