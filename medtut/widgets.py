"""Live pictures for Jupyter. On the static site the same films are moved by a small script."""
import io

import ipywidgets
from IPython.display import display
from PIL import Image as Picture

from .plots import Film


def film_slider(strip: Film) -> None:
    """Show `strip` with a slider; needs a running kernel, so its cell is tagged `remove-output`."""
    slider, view = build(strip)
    box = ipywidgets.VBox([slider, view])
    # the plain text says the same on every machine, where the widget's own would hold bytes of the picture
    display({"application/vnd.jupyter.widget-view+json": {"model_id": box.model_id, "version_major": 2,
                                                          "version_minor": 0},
             "text/plain": "a film with a slider"}, raw=True)


def build(strip: Film) -> tuple[ipywidgets.IntSlider, ipywidgets.Image]:
    """The slider and the picture that follows it."""
    pictures = frames(strip)
    slider = ipywidgets.IntSlider(value=len(pictures) - 1, min=0, max=len(pictures) - 1, description="frame")
    view = ipywidgets.Image(value=pictures[-1], format="png")
    slider.observe(lambda change: setattr(view, "value", pictures[change["new"]]), names="value")
    return slider, view


def frames(strip: Film) -> list[bytes]:
    """The film's frames, each as a PNG."""
    sheet = Picture.open(io.BytesIO(strip.data))
    width = sheet.width // strip.frames
    pictures = []
    for k in range(strip.frames):
        buffer = io.BytesIO()
        sheet.crop((k * width, 0, (k + 1) * width, sheet.height)).save(buffer, "png")
        pictures.append(buffer.getvalue())
    return pictures
