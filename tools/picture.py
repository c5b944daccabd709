"""Draw the picture of the README: `python tools/picture.py`. From noise to three slices, one a contrast."""

from pathlib import Path

import torch
from PIL import Image

import medtut as mt
from medtut.data.brain import label_of
from medtut.schedules import cosine

SHOWN = (0, 10, 16, 22, 28, 32, 40)  # steps of 40, as columns


def main() -> None:
    """Write book/_static/readme.png: a row a contrast, noise on the left, the sample on the right."""
    labels = torch.stack([label_of("T1", 0.45), label_of("T2", 0.32), label_of("FDG", 0.8)])
    sigmas = cosine(40, 0.01, 40.0)
    rng = mt.generators(1, len(labels))
    x = mt.start(sigmas, (len(labels), 1, 128, 128), rng)
    denoise = mt.given(mt.load("brain-128", device="cpu"), labels)
    states = [(float(sigmas[0]), x), *((s.sigma, s.x) for s in mt.ddpm(denoise, sigmas, x, generator=rng))]
    shown = [states[i][1] / (1 + states[i][0] ** 2) ** 0.5 for i in SHOWN]  # as the network sees them
    columns = [(x.clamp(-1, 1) + 1) / 2 for x in shown[:-1]] + [shown[-1].clamp(0, 1)]
    rows = torch.stack(columns, 1)[:, :, 0]  # (contrast, step, h, w)
    sheet = rows.permute(0, 2, 1, 3).reshape(len(labels) * 128, -1)
    image = Image.fromarray((sheet * 255).byte().numpy()).quantize(32)
    image.save(Path(__file__).resolve().parents[1] / "book" / "_static" / "readme.png", optimize=True)


if __name__ == "__main__":
    main()
