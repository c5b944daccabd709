// Turns the sprite sheet of a cell tagged "film" into a slider. Without this script the whole sheet is visible.
// Tags of the cell: film-frames-N (how many frames) and, if they do not stand in one row, film-columns-M.
(function () {
  "use strict";

  function numberIn(cell, prefix) {
    for (const name of cell.classList) {
      if (name.startsWith(prefix)) return parseInt(name.slice(prefix.length), 10);
    }
    return NaN;
  }

  function build(cell, index) {
    const image = cell.querySelector("img");
    const frames = numberIn(cell, "tag_film-frames-");
    const columns = numberIn(cell, "tag_film-columns-") || frames;
    if (!image || !(frames > 1) || cell.querySelector(".film")) return;
    const rows = Math.ceil(frames / columns);
    const width = image.naturalWidth / columns;

    const film = document.createElement("div");
    film.className = "film";
    film.style.maxWidth = Math.max(width, 480) + "px";
    const view = document.createElement("div");
    view.className = "film-view";
    view.style.aspectRatio = width + " / " + image.naturalHeight / rows;
    const label = document.createElement("label");
    label.htmlFor = "film-" + index;
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", id: "film-" + index, min: 1, max: frames, step: 1 });
    slider.className = "film-slider";

    const show = function () {
      const frame = parseInt(slider.value, 10) - 1;
      const column = frame % columns;
      const row = Math.floor(frame / columns);
      image.style.transform = "translate(" + (-100 * column) / columns + "%, " + (-100 * row) / rows + "%)";
      label.textContent = "Frame " + (frame + 1) + " of " + frames;
      slider.setAttribute("aria-valuetext", label.textContent);
    };

    image.parentNode.insertBefore(film, image);
    view.appendChild(image);
    film.append(view, label, slider);
    image.removeAttribute("width");
    image.removeAttribute("height");
    image.style.cssText = "max-width: none; width: " + 100 * columns + "%";
    slider.value = frames;
    slider.addEventListener("input", show);
    show();
  }

  function start() {
    document.querySelectorAll(".tag_film, .film-sheet").forEach(function (cell, index) {
      const image = cell.querySelector("img");
      if (!image) return;
      if (image.complete && image.naturalWidth) build(cell, index);
      else image.addEventListener("load", function () { build(cell, index); }, { once: true });
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
