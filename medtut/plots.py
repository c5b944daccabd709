"""Pictures for notebooks: every function draws and returns None, except films, which return an IPython Image.

Images are `(n, 1|2, h, w)` or `(n, h, w)`; two channels are shown as magnitude. One window (vmin, vmax) is
shared by all panels of a figure, so that equal grey means equal value.
"""
import io
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Image
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from torch import Tensor

DPI = 90
LEVELS = 64  # colours of a picture; the PNG of 256 is half as large again, and looks the same
GAP = 4  # pixels between the tiles of a film frame
CAPTION = 18  # pixels above them


class Film(Image):
    """One PNG that holds `frames` pictures of equal width in a row; `medtut.widgets.film_slider` plays it."""

    def __init__(self, png: bytes, frames: int, alt: str):
        super().__init__(data=png, format="png", alt=alt)
        self.frames = frames


def grid(images: Tensor | Sequence[Tensor], titles: Sequence[str] | None = None, *, cols: int | None = None,
         window: tuple = (0, 1), cmap: str = "gray", bar: str | None = None, height: float = 1.5,
         row_titles: Sequence[str] | None = None) -> None:
    """Show images in rows; a list of tensors gives a row each. `bar` labels one colour bar for all panels."""
    _grid(images, titles, cols, window, cmap, bar, height, row_titles)
    plt.show()


def kspace(y: Tensor, titles: Sequence[str] | None = None, decades: float = 4) -> None:
    """Log magnitude of k-space (n, [coils,] h, w), coils by root sum of squares, over `decades`."""
    energy = y.abs().square()
    size = (energy.sum(1) if y.ndim == 4 else energy).sqrt()
    log = torch.log10((size / size.max()).clamp(min=10.0**-decades))
    grid(log, titles, window=(-decades, 0), cmap="magma", bar="log10 of |y| / max |y|")


def error_map(x: Tensor, ref: Tensor, titles: Sequence[str] | None = None, limit: float = 0.1) -> None:
    """Absolute error per pixel in image units, from 0 to `limit` for all panels."""
    error = (pixels(x) - pixels(ref)).abs()
    grid(error, titles, window=(0, limit), cmap="inferno", bar="absolute error (a.u.)")


def spread_map(sd: Tensor, titles: Sequence[str] | None = None, limit: float | None = None) -> None:
    """Standard deviation over samples per pixel, from 0 to `limit` (or the largest value)."""
    top = float(sd.max()) if limit is None else limit
    grid(sd, titles, window=(0, top), cmap="cividis", bar="standard deviation (a.u.)")


def curve(lines: dict, xlabel: str, ylabel: str, *, logx: bool = False, logy: bool = False,
          title: str | None = None, hlines: dict | None = None) -> None:
    """Lines {label: (xs, ys)}, or {label: (xs, ys, low, high)} with a band; `hlines` is {label: y}."""
    _curve(lines, xlabel, ylabel, logx, logy, title, hlines or {})
    plt.show()


def film(frames: Sequence[Tensor], *, alt: str, captions: Sequence[str] | None = None, window: tuple = (0, 1),
         cmap: str = "gray", zoom: int = 1, max_bytes: int = 300_000) -> Film:
    """Frames of up to four tiles each, (b, 1|2, h, w), as one PNG; grey levels are reduced until it fits."""
    if any(len(frame) > 4 for frame in frames):
        raise ValueError("a film frame got more than four tiles; four is the most, pass frame[:4]")
    captions = captions or [""] * len(frames)
    for levels in (64, 32, 16):
        sheets = [_frame(f, c, window, levels, zoom) for f, c in zip(frames, captions, strict=True)]
        sheet = Picture.fromarray(np.concatenate(sheets, 1), "P")
        sheet.putpalette(_palette(cmap, levels))
        png = _png(sheet, bits=(levels + 3).bit_length())
        if len(png) <= max_bytes:
            return Film(png, len(frames), alt)
    raise ValueError(f"the film takes {len(png)} bytes, {max_bytes} are allowed; show fewer frames or tiles")


def film_draw(draw: Callable, frames: int, *, alt: str, figsize: tuple = (4, 3), dpi: int = DPI) -> Film:
    """Film of `draw(ax, i)`, i in 0..frames - 1, by matplotlib; set the limits of the axes in `draw`."""
    pictures = []
    for i in range(frames):
        figure = Figure(figsize, dpi=dpi, layout="constrained")
        draw(figure.add_subplot(), i)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        pictures.append(np.asarray(Picture.open(buffer).convert("RGB")))
    sheet = Picture.fromarray(np.concatenate(pictures, 1)).quantize(64, dither=Picture.Dither.NONE)
    return Film(_png(sheet), frames, alt)


def pixels(images: Tensor) -> Tensor:
    """(n, 1|2, h, w) or (n, h, w) as (n, h, w) real numbers on the CPU; two channels become the magnitude."""
    images = images.detach().float().cpu()
    if images.ndim == 4 and images.shape[1] == 2:
        return images.square().sum(1).sqrt()
    if images.ndim == 4 and images.shape[1] == 1:
        return images[:, 0]
    if images.ndim == 3:
        return images
    raise ValueError(f"got images of shape {tuple(images.shape)}; need (n, 1 or 2, h, w) or (n, h, w)")


def _grid(images, titles, cols, window, cmap, bar, height, row_titles):
    rows = [pixels(row) for row in ([images] if isinstance(images, Tensor) else images)]
    if len(rows) == 1 and cols:
        rows = list(rows[0].split(cols))
    cols = max(len(row) for row in rows)
    h, w = rows[0].shape[-2:]
    size = (cols * height * w / h + (0.9 if bar else 0), len(rows) * height + (0.25 if titles else 0))
    colours = plt.get_cmap(cmap).resampled(LEVELS)
    figure, axes = plt.subplots(len(rows), cols, figsize=size, dpi=DPI, squeeze=False, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    for i, row in enumerate(axes):
        for j, ax in enumerate(row):
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if j < len(rows[i]):
                shown = ax.imshow(rows[i][j].numpy(), colours, vmin=window[0], vmax=window[1],
                                  interpolation="nearest")
            k = i * cols + j
            if titles and (i == 0 or len(titles) > cols) and k < len(titles):
                ax.set_title(titles[k], fontsize=8)
        if row_titles:
            row[0].set_ylabel(row_titles[i], fontsize=8)
    if bar:
        figure.colorbar(shown, ax=axes, label=bar, shrink=0.9, pad=0.01).ax.tick_params(labelsize=7)
    return figure


def _curve(lines, xlabel, ylabel, logx, logy, title, hlines):
    figure, ax = plt.subplots(figsize=(6.5, 3), dpi=DPI, layout="constrained")
    for (label, (xs, ys, *band)), colour, marker in zip(lines.items(), COLOURS, MARKERS, strict=False):
        ax.plot(xs, ys, color=colour, marker=marker, ms=4, label=label)
        if band:
            ax.fill_between(xs, *band, color=colour, alpha=0.2, lw=0)
    for (label, y), style in zip(hlines.items(), ("--", ":", "-."), strict=False):
        ax.axhline(y, color="0.3", ls=style, lw=1, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale="log" if logx else "linear",
           yscale="log" if logy else "linear")
    for axis in [ax.xaxis] * logx + [ax.yaxis] * logy:
        low, high = axis.get_view_interval()
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1e3 * low else (1,)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=2)
    return figure


# Okabe and Ito's colours, told apart by colour-blind readers; markers say the same without colour
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def _frame(images, caption, window, levels, zoom):
    images = ((pixels(images) - window[0]) / (window[1] - window[0])).clamp(0, 1)
    tiles = (images * (levels - 1)).round().byte().numpy().repeat(zoom, 1).repeat(zoom, 2)
    n, h, w = tiles.shape
    text = Picture.new("L", (n * (w + GAP), CAPTION), 0)
    ImageDraw.Draw(text).text((2, 1), caption, fill=255, font=ImageFont.load_default(12))
    ink = levels + 3 - (np.asarray(text) // 64)  # the last four entries of the palette: black to white
    sheet = np.full((CAPTION + h, n * (w + GAP)), levels + 3, np.uint8)
    sheet[:CAPTION] = ink
    for k, tile in enumerate(tiles):
        sheet[CAPTION:, k * (w + GAP):k * (w + GAP) + w] = tile
    return sheet


def _palette(cmap, levels):
    colours = plt.get_cmap(cmap)(np.linspace(0, 1, levels))[:, :3]
    ink = np.linspace(0, 1, 4)[:, None].repeat(3, 1)
    return (np.concatenate([colours, ink]) * 255).round().astype(np.uint8).tobytes()


def _png(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, "png", optimize=True, **options)
    return buffer.getvalue()
