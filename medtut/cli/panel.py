"""The picture that `medtut reconstruct` leaves."""

from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor

NOT_CLINICAL = "Not for clinical use."


def panel(path: Path, images: dict[str, Tensor], header: str, footer: str) -> None:
    """Images (h, w) side by side from 0 to 1; a title that starts with 'spread' gets a scale of its own."""
    figure = Figure((2.6 * len(images), 3.5), dpi=110, layout="constrained")
    for axes, (title, image) in zip(figure.subplots(1, len(images)), images.items(), strict=True):
        own = title.startswith("spread")
        top = float(image.max()) if own else 1.0
        shown = axes.imshow(image.numpy(), "inferno" if own else "gray", vmin=0, vmax=top or 1.0)
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, fontsize=9)
        bar = figure.colorbar(shown, ax=axes, location="bottom", shrink=0.8, pad=0.02)
        bar.ax.tick_params(labelsize=7)
    figure.suptitle(header, fontsize=9)
    figure.supxlabel(f"{footer}\n{NOT_CLINICAL} Grey values are relative to the robust maximum.", fontsize=8)
    figure.savefig(path, format="png", metadata={"Software": None})
