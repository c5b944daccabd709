// The k-space of a slice, in which the reader chooses the columns that the scan measures: with a pointer, or with
// the arrow keys and the space bar.
(function (Live) {
  "use strict";

  const { element, button } = Live;
  const SIZE = Live.SIZE, HEIGHT = 64;
  const PRESETS = [
    ["4× random", "random", 16, 5], ["8× random", "random", 8, 3], ["4× without a centre", "random", 16, 0],
    ["4× evenly spaced", "even", 16, 0], ["centre only, 16 lines", "even", 16, 16], ["all lines", "even", 64, 64],
  ];

  // log10 of the magnitude, its four upper decades stretched to 0 .. 1.
  function logMagnitude(kspace) {
    const logs = kspace.re.map(function (re, k) { return Math.log10(Math.hypot(re, kspace.im[k]) + 1e-9); });
    const top = Math.max(...logs);
    return logs.map(function (v) { return Math.max(0, 1 + (v - top) / 4); });
  }

  Live.maskEditor = function (changed) {
    let mask = Live.maskOf("random", 16, 5, 1), column = SIZE / 2, brush = null;
    let levels = new Float64Array(SIZE * SIZE);
    const canvas = element("canvas", {
      width: SIZE, height: HEIGHT, class: "live-kspace", tabindex: 0, role: "slider", "aria-valuemin": 1,
      "aria-valuemax": SIZE, "aria-label": "Column of k-space; arrow keys move, space measures it or leaves it out",
    });
    const told = element("figcaption", {}, "");
    const presets = PRESETS.map(function ([name, kind, lines, centre]) {
      return button(name, function () { set(Live.maskOf(kind, lines, centre, 1)); });
    });

    function paint() {
      const pen = canvas.getContext("2d"), data = pen.createImageData(SIZE, HEIGHT);
      for (let k = 0; k < levels.length; k++) {
        const c = k % SIZE, v = 255 * levels[k];
        const tint = mask[c] ? [0.35 * v + 40, 0.8 * v + 30, v] : [0.25 * v, 0.25 * v, 0.25 * v];
        data.data.set([...tint, 255], 4 * k);
      }
      for (let r = 0; r < 4; r++) data.data.set([255, 170, 0, 255], 4 * (r * SIZE + column)); // the cursor
      pen.putImageData(data, 0, 0);
      const lines = mask.reduce(function (a, b) { return a + b; }, 0);
      const where = column === SIZE / 2 ? ", the zero frequency" : "";
      canvas.setAttribute("aria-valuenow", column + 1);
      const state = mask[column] ? ", measured" : ", left out";
      canvas.setAttribute("aria-valuetext", "column " + (column + 1) + where + state);
      told.textContent = "k-space, log magnitude. Blue columns are measured: " + lines + " of " + SIZE + ".";
    }

    function set(next) {
      mask = next;
      paint();
      changed();
    }

    function put(c, value) {
      column = c;
      if (mask[c] === value) return paint();
      const next = Uint8Array.from(mask);
      next[c] = value;
      set(next);
    }

    function columnAt(event) {
      const box = canvas.getBoundingClientRect();
      return Math.min(SIZE - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * SIZE)));
    }

    canvas.addEventListener("pointerdown", function (event) {
      const c = columnAt(event);
      brush = { value: mask[c] ? 0 : 1, last: c };
      canvas.setPointerCapture(event.pointerId);
      put(c, brush.value);
    });
    canvas.addEventListener("pointermove", function (event) {
      if (!brush) return;
      const c = columnAt(event), step = Math.sign(c - brush.last) || 1;
      for (let k = brush.last; k !== c + step; k += step) put(k, brush.value);
      brush.last = c;
    });
    ["pointerup", "pointercancel"].forEach(function (name) {
      canvas.addEventListener(name, function () { brush = null; });
    });
    canvas.addEventListener("keydown", function (event) {
      const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, Home: -SIZE, End: SIZE };
      if (event.key === " ") put(column, mask[column] ? 0 : 1);
      else if (moves[event.key]) column = Math.min(SIZE - 1, Math.max(0, column + moves[event.key]));
      else return;
      event.preventDefault();
      paint();
    });

    const figure = element("figure", { class: "live-picture" }, canvas, told);
    const row = element("div", { class: "live-presets", role: "group", "aria-label": "Masks" }, ...presets);
    paint();
    return {
      box: element("div", { class: "live-mask" }, figure, row),
      get: function () { return mask; },
      show: function (kspace) {
        levels = logMagnitude(kspace);
        paint();
      },
    };
  };
})(globalThis.Live = globalThis.Live || {});
