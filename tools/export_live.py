"""Makes what the live page runs: `brain-64` as ONNX, and the held-out slices it reconstructs.

`python tools/export_live.py` writes book/_static/live/brain-64.onnx and live.json. It needs torch, onnx and
onnxscript (`make setup`); `make book` only copies what stands there. tests/test_live.py fails if the network
was trained again and not exported again.
"""

import base64
import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import medtut as mt  # noqa: E402
from medtut.data.brain import Brain  # noqa: E402
from medtut.data.contrast import CONTRASTS  # noqa: E402
from medtut.data.template import Z_MAX, Z_MIN  # noqa: E402
from medtut.weights import manifest  # noqa: E402

FOLDER = ROOT / "book" / "_static" / "live"
NETWORK = "brain-64"
OPSET = 18
GREY = 1.2  # the image value that a stored byte of 255 stands for
SLICES = (("T1", 7), ("T2", 15), ("FLAIR", 3))  # contrast, and index in the held-out cohort
PHASE_SEED = 4
LESION = {"T1": -0.35, "T2": 0.35, "FLAIR": 0.35}  # what its middle adds to the image
LESION_RADIUS = 2.0  # pixels of 64


class Raw(torch.nn.Module):
    """The network alone: the page itself writes out preconditioning, range, guidance and sampler."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, c_noise, label):
        return self.net(x, c_noise, label)


def exported(net) -> onnx.ModelProto:
    """The graph with an open batch size, weights in the half precision in which they are shipped."""
    batch = torch.export.Dim("b", min=1, max=16)
    inputs = {"x": torch.randn(2, 1, 64, 64), "c_noise": torch.tensor([300.0, 700.0])}
    inputs["label"] = torch.tensor([[0.0, 0.5], [-1.0, -1.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Raw(net).eval(), tuple(inputs.values()), dynamo=True, verbose=False, opset_version=OPSET,
            input_names=list(inputs), output_names=["out"],
            dynamic_shapes={name: {0: batch} for name in inputs})
    return in_half_precision(program.model_proto)


def in_half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store each float weight as float16 and a Cast, if nothing is lost by it; drop what only debuggers read.

    The shipped weights are float16 to begin with, so nothing is.
    """
    graph, casts = model.graph, []
    del graph.value_info[:], model.metadata_props[:], graph.metadata_props[:]
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16) if values.dtype == np.float32 and values.size > 16 else values
        if half.dtype == np.float16 and np.array_equal(half.astype(np.float32), values):
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def middle_of_white_matter(white: torch.Tensor) -> tuple[int, int]:
    """Row and column, off the midline, whose neighbourhood holds most white matter; white (64, 64)."""
    near = torch.nn.functional.avg_pool2d(white[None, None], 5, stride=1, padding=2)[0, 0]
    near[:, 24:40] = 0
    return divmod(int(near.argmax()), 64)


def held_out(contrast: str, index: int, seed: int) -> dict:
    """One held-out slice: bytes, label, the nine weights of a smooth phase, and where a lesion may be put."""
    subject = Brain("heldout", 64, contrasts=(contrast,)).batch([index])
    image = (subject.image[0, 0] / GREY * 255).round().clamp(0, 255).to(torch.uint8).numpy()
    weights = torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)) / (
        1 + torch.arange(3)[:, None] + torch.arange(3))
    row, column = middle_of_white_matter(subject.tissue[0, 2])
    return {
        "name": f"{contrast}, height {Z_MIN + (Z_MAX - Z_MIN) * float(subject.label[0, 1]):.0f} mm",
        "pixels": base64.b64encode(image.tobytes()).decode(),
        "label": [round(float(v), 6) for v in subject.label[0]],
        "phase": [[round(1.5 * float(v), 4) for v in line] for line in weights],
        "lesion": {"row": row, "column": column, "radius": LESION_RADIUS, "amount": LESION[contrast]},
    }


def main() -> None:
    logging.disable(logging.WARNING)
    FOLDER.mkdir(parents=True, exist_ok=True)
    denoise, row = mt.load(NETWORK, device="cpu"), manifest()[NETWORK]
    path = FOLDER / f"{NETWORK}.onnx"
    onnx.save(exported(denoise.denoise.net), path)
    settings = {
        "network": NETWORK,
        "file": path.name,
        "sha256": row["sha256"],
        "shift": row["shift"],
        "scale": row["scale"],
        "contrasts": list(CONTRASTS),
        "height": [Z_MIN, Z_MAX],
        "grey": GREY,
        "sampling": {"sigma_min": 0.01, "sigma_max": 20.0, "rho": 7.0},
        "reconstruction": {"sigma_min": 0.02, "sigma_max": 5.0, "lam": 1.0, "zeta": 1.0, "cg_steps": 6},
        "slices": [held_out(contrast, i, PHASE_SEED + k) for k, (contrast, i) in enumerate(SLICES)],
    }
    (FOLDER / "live.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
