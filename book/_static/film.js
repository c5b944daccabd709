// Turns the sprite sheet of a cell tagged "film" into a slider with a play button. Without this script the
// whole sheet is visible. Tags of the cell: film-frames-N (how many frames) and, if they do not stand in one
// row, film-columns-M. A film with the class film-autoplay starts by itself, three times through, unless the
// reader asked for reduced motion; any touch of its slider stops it.
(function () {
  "use strict";

  const STEP = 350; // milliseconds a frame; the last one stays longer
  const HOLD = 5; // frames that it stays

  function numberIn(cell, prefix) {
    for (const name of cell.classList) {
      if (name.startsWith(prefix)) return parseInt(name.slice(prefix.length), 10);
    }
    return NaN;
  }

  function still() {
    return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  // A button that moves the slider; returns {stop, play(times)}.
  function player(slider, show) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "film-play";
    let timer = null;
    let left = 0;
    let rest = 0;

    const say = function () {
      button.textContent = timer ? "Pause" : "Play";
    };
    const stop = function () {
      clearInterval(timer);
      timer = null;
      say();
    };
    const tick = function () {
      if (document.hidden) return;
      if (parseInt(slider.value, 10) < parseInt(slider.max, 10)) {
        slider.value = parseInt(slider.value, 10) + 1;
        rest = 0;
        show();
      } else if (left <= 1) stop();
      else if (++rest > HOLD) {
        left -= 1;
        slider.value = 1;
        show();
      }
    };
    const play = function (times) {
      stop();
      left = times;
      rest = 0;
      slider.value = 1;
      show();
      timer = setInterval(tick, STEP);
      say();
    };
    button.addEventListener("click", function () {
      if (timer) stop();
      else play(1);
    });
    say();
    return { button: button, stop: stop, play: play };
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
    film.style.maxWidth = Math.max(width * (cell.classList.contains("film-large") ? 1.6 : 1), 480) + "px";
    const view = document.createElement("div");
    view.className = "film-view";
    view.style.aspectRatio = width + " / " + image.naturalHeight / rows;
    const label = document.createElement("label");
    label.htmlFor = "film-" + index;
    label.textContent = "Frame";
    const where = document.createElement("span");
    const line = document.createElement("div");
    line.className = "film-frame";
    line.append(label, " ", where);
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", id: "film-" + index, min: 1, max: frames, step: 1 });
    slider.className = "film-slider";

    const show = function () {
      const frame = parseInt(slider.value, 10) - 1;
      const column = frame % columns;
      const row = Math.floor(frame / columns);
      image.style.transform = "translate(" + (-100 * column) / columns + "%, " + (-100 * row) / rows + "%)";
      where.textContent = (frame + 1) + " of " + frames;
      slider.setAttribute("aria-valuetext", where.textContent);
    };
    const { button, stop, play } = player(slider, show);
    const controls = document.createElement("div");
    controls.className = "film-controls";
    controls.append(button, slider);

    image.parentNode.insertBefore(film, image);
    view.appendChild(image);
    film.append(view, line, controls);
    const caption = cell.querySelector("figcaption");
    if (caption) slider.setAttribute("aria-describedby", caption.id || (caption.id = slider.id + "-caption"));
    image.removeAttribute("width");
    image.removeAttribute("height");
    image.style.cssText = "max-width: none; width: " + 100 * columns + "%";
    slider.value = frames;
    slider.addEventListener("input", function () { stop(); show(); });
    show();
    if (cell.classList.contains("film-autoplay") && !still()) play(3);
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
