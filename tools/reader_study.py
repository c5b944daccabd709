"""Makes the pairs of the reader study: `python tools/reader_study.py` (needs torch; minutes on two cores).

Writes book/_static/reader_study.png, one sheet of tiles, and book/reader_study.json, its key: which tile is
which (base64, so that nobody reads it by accident), how each is made again, and how simple observers do.
"""

import base64
import io
import json
import random
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

import medtut as mt
from medtut import tasks
from medtut.data.brain import MR, Brain
from medtut.metrics import magnitude
from medtut.posterior import tuned

ROOT = Path(__file__).resolve().parents[1]
SHEET, KEY = ROOT / "book" / "_static" / "reader_study.png", ROOT / "book" / "reader_study.json"
PAIRS, SIZE, COLUMNS, GREYS = 20, 128, 10, 24
FIRST = 700  # the first held-out subject of the study; no chapter shows it
SCAN, METHOD, CALLS = "mri-8x-8", "diffpir", 20
CONTRAST, RADIUS = 0.5, 3.0  # of the lesion: added magnitude (a.u.), pixels
FLOOR = 0.06  # of the display: what is darker than this share of the brightest pixels is black
FINE = 0.25  # cycles per pixel


def real(contrast: str, index: int) -> tuple[Tensor, Tensor]:
    """A held-out slice (1, 1, h, w) and its label (1, 2)."""
    sample = Brain("heldout", SIZE, contrasts=[contrast]).batch([index])
    return sample.image, sample.label


def drawn(contrast: str, index: int) -> Tensor:
    """A draw of the prior, told contrast and height of that held-out slice."""
    levels = mt.schedules.cosine(30, sigma_min=0.02, sigma_max=40.0)
    _, label = real(contrast, index)
    x = mt.start(levels, (1, 1, SIZE, SIZE), mt.generators(index, 1))
    noise = mt.generators(10_000 + index, 1)
    return mt.last(mt.ddpm(mt.given(mt.load("brain-128"), label), levels, x, generator=noise))


def lesion_at(tissue: Tensor, index: int) -> tuple[int, int]:
    """Row and column of a place in the white matter, drawn with the subject's number."""
    white = torch.nn.functional.avg_pool2d(tissue[:, 2:3], 5, 1, 2)[0, 0].flatten()
    g = torch.Generator().manual_seed(20_000 + index)
    place = int(torch.multinomial((white > min(0.9, float(white.max()) - 1e-6)).float(), 1, generator=g))
    return place // SIZE, place % SIZE


def blob(row: float, column: float, size: int = SIZE) -> Tensor:
    """A disc (size, size) with a soft edge."""
    at = torch.arange(size, dtype=torch.float32)
    distance = ((at[:, None] - row) ** 2 + (at[None] - column) ** 2).sqrt()
    return torch.sigmoid(2 * (RADIUS - distance))


def truth(index: int, lesion: bool) -> tuple[tasks.Task, tuple[int, int]]:
    """The scan of a held-out FLAIR slice, and where its lesion is or would be."""
    sample = Brain("heldout", SIZE, contrasts=["FLAIR"], complex=True).batch([index])
    place = lesion_at(sample.tissue, index)
    added = CONTRAST * blob(*place) * sample.image / magnitude(sample.image).clamp(min=0.05)
    image = sample.image + added if lesion else sample.image
    return tasks.measure(SCAN, sample._replace(image=image), [index]), place


def reconstructed(index: int, lesion: bool) -> Tensor:
    """One sample of the reconstruction, as a magnitude (1, 1, h, w)."""
    task, _ = truth(index, lesion)
    sigmas, knobs = tuned.best(SCAN, METHOD, CALLS)
    rng = tasks.seeded([index], 4)
    sampler = getattr(mt.posterior, METHOD)
    states = sampler(task.prior(rng), task.problem, sigmas, task.start(sigmas, rng), **knobs, generator=rng)
    return magnitude(mt.last(states))


def made(recipe: list) -> Tensor:
    """The tile (h, w) that a recipe of the key names, in image units."""
    kind, *rest = recipe
    if kind == "truth":
        task, _ = truth(*rest)
        return magnitude(task.truth)[0, 0]
    if kind == "reconstructed":
        return reconstructed(*rest)[0, 0]
    return thumbnail(real(*rest)[0] if kind == "real" else drawn(*rest))[0, 0]


def thumbnail(image: Tensor) -> Tensor:
    """Means of 2 x 2 pixels, in the old size: without the fine grain, anatomy has to tell the two apart."""
    return torch.nn.functional.avg_pool2d(image, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)


def grey(image: Tensor, top: float) -> Tensor:
    """0 to 255 in GREYS steps, black at FLOOR of `top` and white at `top`."""
    shown = ((image / top - FLOOR) / (1 - FLOOR)).clamp(0, 1)
    return (shown * (GREYS - 1)).round().mul(255 / (GREYS - 1)).round().byte()


def heights(count: int) -> list[tuple[int, int]]:
    """Pairs of held-out FLAIR subjects whose slices lie at nearly the same height."""
    first = FIRST + 100
    cohort = Brain("heldout", SIZE, contrasts=["FLAIR"], complex=True)
    order = (first + cohort.batch(range(first, first + 2 * count)).label[:, 1].argsort()).tolist()
    return list(zip(order[::2], order[1::2], strict=True))


def fine_power(image: Tensor) -> float:
    """Mean power above FINE cycles per pixel of the thumbnail."""
    small = image[::2, ::2]
    f = torch.fft.fftfreq(len(small))
    high = (f[:, None] ** 2 + f[None] ** 2).sqrt() > FINE
    return float(torch.fft.fft2(small, norm="ortho").abs().square()[high].mean())


def spot(image: Tensor) -> float:
    """Largest response to the lesion's profile minus its surroundings, away from the rim of the head."""
    disc = blob(16, 16, 33)
    wide = torch.nn.functional.avg_pool2d(disc[None, None], 9, 1, 4)[0, 0]
    kernel = disc / disc.sum() - wide / wide.sum()
    response = torch.nn.functional.conv2d(image[None, None], kernel[None, None], padding=16)
    air = torch.nn.functional.avg_pool2d((image[None, None] < 0.1).float(), 5, 1, 2)
    rim = torch.nn.functional.max_pool2d(air, 25, 1, 12)
    return float(response[rim < 0.99].max())


# larger: rather drawn, rather with a lesion
OBSERVERS = {"real": lambda image: -fine_power(image), "lesion": spot}


def pairs() -> dict[str, list[tuple[list, list]]]:
    """Recipes of each task, (signal, noise): the drawn slice and the real one; with lesion and without."""
    tell = [(MR[k % len(MR)], FIRST + k) for k in range(PAIRS)]
    return {
        "real": [(["drawn", *one], ["real", *one]) for one in tell],
        "lesion": [(["reconstructed", a, True], ["reconstructed", b, False]) for a, b in heights(PAIRS)],
    }


def images_of(study: dict) -> tuple[dict, dict]:
    """Every tile of the sheet by its recipe, and the brightness that is shown as white: one for a pair."""
    images, tops = {}, {}
    for name, found in study.items():
        for signal, noise in found:
            shown_together = [[signal, noise]] + ([[["truth", *signal[1:]]]] if name == "lesion" else [])
            for recipes in shown_together:
                group = {json.dumps(r): made(r) for r in recipes}
                images |= group
                top = float(torch.stack(list(group.values())).quantile(0.9995))
                tops |= dict.fromkeys(group, round(top, 6))
        print(name, "drawn", flush=True)
    return images, tops


def sheet_of(tiles: list[Tensor]) -> Tensor:
    """The tiles in rows of COLUMNS."""
    rows = [torch.cat(tiles[i : i + COLUMNS], 1) for i in range(0, len(tiles), COLUMNS)]
    return torch.cat(rows, 0)


def asked(study: dict, images: dict, order: list[str], rng: random.Random) -> tuple[dict, dict]:
    """What the page shows of each pair (tiles left and right), and the answers."""
    shown, answers = {}, {}
    for name, found in study.items():
        sides = [k % 2 for k in range(len(found))]  # as often left as right
        rng.shuffle(sides)
        names = [[json.dumps(r) for r in pair] for pair in found]
        shown[name] = [[order.index(n) for n in (pair[::-1] if side else pair)]
                       for pair, side in zip(names, sides, strict=True)]
        scores = [[float(f"{OBSERVERS[name](images[n]):.4g}") for n in pair] for pair in names]
        answers[name] = {"side": sides, "observer": scores}
        if name == "lesion":
            whole = [["truth", *signal[1:]] for signal, _ in found]
            answers[name]["truth"] = [[order.index(json.dumps(w)), *truth(*w[1:])[1]] for w in whole]
        print(name, "observer right in", sum(a > b for a, b in scores), "of", len(scores))
    return shown, answers


def main() -> None:
    rng, study = random.Random(5), pairs()
    images, tops = images_of(study)
    order = sorted(images)
    rng.shuffle(order)
    sheet = sheet_of([grey(images[name], tops[name]) for name in order])
    shown, answers = asked(study, images, order, rng)
    answers["tiles"] = [[json.loads(name), tops[name]] for name in order]
    hidden = base64.b64encode(json.dumps(answers, separators=(",", ":")).encode()).decode()
    key = {"size": SIZE, "columns": COLUMNS, "rows": sheet.shape[0] // SIZE, "contrast": CONTRAST,
           "radius": RADIUS, "calls": CALLS, "pairs": shown, "key": hidden}
    found = io.BytesIO()
    Image.fromarray(sheet.numpy()).quantize(GREYS, dither=Image.Dither.NONE).save(found, "PNG", optimize=True)
    SHEET.write_bytes(found.getvalue())
    KEY.write_text(json.dumps(key) + "\n", encoding="utf-8")
    print(f"{len(order)} tiles, {len(found.getvalue()) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
