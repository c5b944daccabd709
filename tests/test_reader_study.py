"""The reader study: its tiles come from its seeds, its key says the truth, its verdict is right."""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from in_node import call
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "book" / "ext"), str(ROOT / "tools")]

import reader  # noqa: E402
import reader_study  # noqa: E402

KEY = json.loads(reader_study.KEY.read_text(encoding="utf-8"))
ANSWERS = json.loads(base64.b64decode(KEY["key"]))


def tile(number: int) -> np.ndarray:
    """A tile of the sheet, grey values."""
    size = KEY["size"]
    row, column = (size * at for at in divmod(number, KEY["columns"]))
    with Image.open(reader_study.SHEET) as sheet:
        return np.asarray(sheet.convert("L"))[row : row + size, column : column + size]


def test_the_sheet_is_light_and_whole():
    assert reader_study.SHEET.stat().st_size <= 400 * 1024
    with Image.open(reader_study.SHEET) as sheet:
        assert sheet.size == (KEY["columns"] * KEY["size"], KEY["rows"] * KEY["size"])
    used = [t for pairs in KEY["pairs"].values() for pair in pairs for t in pair]
    used += [truth[0] for truth in ANSWERS["lesion"]["truth"]]
    assert sorted(used) == list(range(len(ANSWERS["tiles"])))


def test_the_key_agrees_with_the_recipes():
    """Where the key says so stands the drawn slice, or the one with the lesion; sides are balanced."""
    for name, pairs in KEY["pairs"].items():
        sides = ANSWERS[name]["side"]
        assert len(pairs) == len(sides) == 20 and sum(sides) == 10
        for pair, side in zip(pairs, sides, strict=True):
            signal, noise = ANSWERS["tiles"][pair[side]][0], ANSWERS["tiles"][pair[1 - side]][0]
            if name == "real":
                assert (signal[0], noise[0]) == ("drawn", "real") and signal[1:] == noise[1:]
            else:
                assert signal[::2] == ["reconstructed", True] and noise[::2] == ["reconstructed", False]
    assert "drawn" not in json.dumps({k: v for k, v in KEY.items() if k != "key"})


@pytest.mark.parametrize("kind", ["real", "reconstructed", "truth"])
def test_a_tile_is_made_again_from_its_seed(kind):
    number = [recipe[0] for recipe, _ in ANSWERS["tiles"]].index(kind)
    recipe, top = ANSWERS["tiles"][number]
    again = reader_study.grey(reader_study.made(recipe), top).numpy().astype(int)
    step = 255 / (reader_study.GREYS - 1)
    away = np.abs(again - tile(number).astype(int))
    assert away.max() <= 1.5 * step and (away > 1).mean() < 0.01  # rounding may tip a pixel to the next grey
    assert again.std() > 20


def test_the_lesion_is_where_the_key_says():
    for pair, side, (whole, row, column) in zip(
            KEY["pairs"]["lesion"], ANSWERS["lesion"]["side"], ANSWERS["lesion"]["truth"], strict=True):
        shown = tile(whole).astype(float)
        around = shown[max(0, row - 8) : row + 9, max(0, column - 8) : column + 9]
        assert shown[row - 1 : row + 2, column - 1 : column + 2].mean() > np.median(around) + 40
        assert ANSWERS["tiles"][whole][0] == ["truth", *ANSWERS["tiles"][pair[side]][0][1:]]


def test_the_observers_prefer_what_they_look_for():
    """A blurred slice has less fine power; a spot answers to the spot reader."""
    g = torch.Generator().manual_seed(0)
    noisy = torch.rand(128, 128, generator=g)
    smooth = torch.nn.functional.avg_pool2d(noisy[None, None], 5, 1, 2)[0, 0]
    assert reader_study.fine_power(smooth) < 0.2 * reader_study.fine_power(noisy)
    around = torch.linspace(-1.3, 1.3, 128).square()
    head = 0.6 * (around[:, None] + around < 1)
    assert reader_study.spot(head + 0.3 * reader_study.blob(60, 70)) > reader_study.spot(head) + 0.05


def test_the_verdict():
    sides = [0, 1] * 10
    perfect = [5 if side else 0 for side in sides]
    half = [4 if k < 10 else 1 for k in range(20)]
    found = call("reader.js", "given[0].map((ratings) => it.verdict(ratings, given[1], stats))",
                 [[perfect, half], sides], others=("stats.js",))
    assert found[0]["right"] == 20 and found[0]["halves"] == [10, 10] and found[0]["area"]["value"] == 1
    assert found[1]["right"] == 10 and found[1]["share"]["value"] == 0.5
    low, high = scipy.stats.binomtest(10, 20).proportion_ci(method="wilson")
    assert [found[1]["share"]["low"], found[1]["share"]["high"]] == pytest.approx([low, high])
    assert reader.wilson(10, 20) == pytest.approx((low, high))
    area = scipy.stats.mannwhitneyu(half[1::2], half[::2]).statistic / 100
    assert found[1]["area"]["value"] == pytest.approx(area)
