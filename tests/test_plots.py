"""Figures have the geometry that the site's slider and the reader rely on, and stay small."""
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image as Picture

from medtut import plots, widgets

mpl.use("Agg")


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")


def sheet(film):
    return Picture.open(io.BytesIO(film.data))


@pytest.mark.parametrize(("n", "tiles", "channels"), [(5, 1, 1), (3, 4, 2), (7, 2, 1)])
def test_a_film_is_one_row_of_equal_frames(n, tiles, channels):
    strip = plots.film([torch.rand(tiles, channels, 32, 24)] * n, alt="a test", captions=["sigma 1"] * n)
    assert strip.frames == n
    assert sheet(strip).size == (n * tiles * (24 + plots.GAP), 32 + plots.CAPTION)
    assert strip.alt == "a test"


def test_film_pixels_follow_the_window():
    ramp = torch.linspace(-1, 3, 32).expand(1, 1, 8, 32)
    strip = plots.film([ramp, ramp * 0], alt="ramp", window=(-1, 3))
    shown = np.asarray(sheet(strip).convert("L"))[plots.CAPTION:, :32] / 255
    assert np.abs(shown[0] - np.linspace(0, 1, 32)).max() < 0.02
    zero = np.asarray(sheet(strip).convert("L"))[plots.CAPTION:, 36:68] / 255
    assert np.abs(zero - 0.25).max() < 0.02


def test_a_caption_is_legible_and_only_above():
    blank = plots.film([torch.zeros(1, 1, 16, 96)], alt="x")
    lettered = plots.film([torch.zeros(1, 1, 16, 96)], alt="x", captions=["sigma 0.50"])
    changed = np.asarray(sheet(blank).convert("L")) != np.asarray(sheet(lettered).convert("L"))
    assert changed[:plots.CAPTION].sum() > 40
    assert not changed[plots.CAPTION:].any()


def test_a_noisy_film_is_reduced_or_refused():
    noise = [torch.rand(2, 1, 128, 128) for _ in range(12)]
    assert len(plots.film(noise, alt="noise").data) <= 300_000
    with pytest.raises(ValueError, match="fewer frames"):
        plots.film(noise, alt="noise", max_bytes=20_000)
    with pytest.raises(ValueError, match="four is the most"):
        plots.film([torch.rand(5, 1, 8, 8)], alt="too wide")


def test_a_drawn_film_has_frames_of_one_size():
    strip = plots.film_draw(lambda ax, i: ax.plot([0, i], [0, 1]), 4, alt="lines", figsize=(2, 1), dpi=50)
    assert sheet(strip).size == (4 * 100, 50)


def test_the_slider_shows_the_frame_it_names():
    strip = plots.film([torch.full((1, 1, 8, 8), k / 3) for k in range(4)], alt="steps")
    slider, view = widgets.build(strip)
    for k in (0, 2):
        slider.value = k
        shown = np.asarray(Picture.open(io.BytesIO(view.value)).convert("L"))[plots.CAPTION:, :8]
        assert abs(shown.mean() / 255 - k / 3) < 0.02


def test_the_slider_prints_the_same_everywhere(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(widgets, "display", lambda data, raw: shown.append(data))
    assert widgets.film_slider(plots.film([torch.rand(1, 1, 8, 8)] * 2, alt="x")) is None
    assert shown[0]["text/plain"] == "a film with a slider"


def test_a_grid_shares_one_window_and_one_bar():
    plots.grid(torch.rand(5, 1, 16, 16), titles=list("abcde"), cols=3, window=(0, 2), bar="a.u.")
    figure = plt.gcf()
    shown = [ax for ax in figure.axes if ax.images]
    assert len(shown) == 5
    assert {ax.images[0].get_clim() for ax in shown} == {(0, 2)}
    assert [ax.get_title() for ax in shown] == list("abcde")
    assert [ax.get_ylabel() for ax in figure.axes if ax not in shown][-1] == "a.u."


def test_rows_of_a_grid_are_named():
    plots.grid([torch.rand(2, 1, 8, 8), torch.rand(2, 2, 8, 8)], row_titles=["x", "magnitude"])
    assert [ax.get_ylabel() for ax in plt.gcf().axes] == ["x", "", "magnitude", ""]


def test_maps_show_what_they_say():
    x, ref = torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 8, 8)
    x[:, 0], x[:, 1], ref[:, 0] = 3, 4, 1
    assert plots.error_map(x, ref) is None
    assert (plt.gcf().axes[0].images[0].get_array() == 4).all()
    y = torch.zeros(1, 2, 8, 8, dtype=torch.complex64)
    y[0, :, 4, 4], y[0, 0, 0, 0] = 3 + 4j, 0.5 ** 0.5 + 0.5 ** 0.5 * 1j
    assert plots.kspace(y) is None
    values = np.asarray(plt.gcf().axes[0].images[0].get_array())
    assert values[4, 4] == 0
    assert values[0, 0] == pytest.approx(np.log10(1 / 50**0.5), abs=1e-5)
    assert values[1, 1] == -4
    assert plots.spread_map(torch.full((1, 1, 8, 8), 0.3)) is None
    assert plt.gcf().axes[0].images[0].get_clim() == pytest.approx((0, 0.3))


def test_a_curve_draws_its_band_and_labels():
    xs = [1, 2, 4]
    assert plots.curve({"a": (xs, xs, [0, 1, 3], [2, 3, 5]), "b": (xs, xs)}, "steps", "error", logx=True,
                       hlines={"floor": 0.5}) is None
    ax = plt.gca()
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()) == ("steps", "error", "log")
    assert len(ax.collections) == 1
    assert [t.get_text() for t in ax.figure.legends[0].get_texts()] == ["a", "b", "floor"]


def test_shapes_that_are_no_images_are_refused():
    with pytest.raises(ValueError, match="need \\(n, 1 or 2, h, w\\)"):
        plots.grid(torch.rand(2, 3, 8, 8))
