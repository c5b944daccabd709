// The converter of the notation page: t, abar, log SNR, sigma and flow time, each from any other, with what
// they do to a state and to a step size. The formulas are those of medtut/schedules.py; a test compares them.
(function () {
  "use strict";

  const T = 1000;

  // The noise levels of a VP chain, as medtut.schedules.vp_table makes them; entry 0 is step 1.
  function vpTable(kind) {
    const f = (u) => Math.cos((u + 0.008) / 1.008 * Math.PI / 2) ** 2;
    let abar = 1;
    return Array.from({ length: T }, function (_, i) {
      const linear = 1e-4 + (0.02 - 1e-4) * i / (T - 1);
      const beta = kind === "linear" ? linear : Math.min(1 - f((i + 1) / T) / f(i / T), 0.999);
      abar *= 1 - beta;
      return Math.sqrt((1 - abar) / abar);
    });
  }

  const TABLES = { linear: vpTable("linear"), cosine: vpTable("cosine") };

  const FROM_SIGMA = {
    sigma: (s) => s,
    abar: (s) => 1 / (1 + s * s),
    logsnr: (s) => -2 * Math.log(s),
    tau: (s) => s === Infinity ? 1 : s / (1 + s),
  };
  const TO_SIGMA = {
    sigma: (v) => v,
    abar: (v) => Math.sqrt((1 - v) / v),
    logsnr: (v) => Math.exp(-v / 2),
    tau: (v) => v === 1 ? Infinity : v / (1 - v),
  };
  const ALLOWED = { sigma: [0, Infinity], abar: [0, 1], logsnr: [-Infinity, Infinity], tau: [0, 1], t: [1, T] };

  // The step whose level is nearest on a log scale.
  function stepOf(sigma, kind) {
    const table = TABLES[kind];
    if (sigma <= table[0]) return 1;
    if (sigma >= table[T - 1]) return T;
    const gap = (i) => Math.abs(Math.log(table[i] / sigma));
    return 1 + table.reduce((best, _, i) => gap(i) < gap(best) ? i : best, 0);
  }

  const sigmaOfStep = (t, kind) => TABLES[kind][t - 1];
  const scales = (s) => ({ vp: 1 / Math.sqrt(1 + s * s), flow: 1 / (1 + s) });
  // What a step size for x_VP becomes for ours, from level s to level next.
  const stepFactor = (s, next) => Math.sqrt((1 + s * s) * (1 + next * next));

  function number(text) {
    const plain = text.trim().replace("−", "-").replace(",", ".").toLowerCase();
    const end = plain.match(/^([-+]?)(∞|inf|infinity)$/);
    if (end) return end[1] === "-" ? -Infinity : Infinity;
    return plain === "" ? NaN : Number(plain);
  }

  function said(value) {
    if (Math.abs(value) === Infinity) return value < 0 ? "−∞" : "∞";
    const size = Math.abs(value);
    if (size && (size < 1e-4 || size >= 1e6)) return value.toExponential(5).replace(/\.?0+e/, "e").replace("e+", "e");
    return String(Number(value.toPrecision(6)));
  }

  const api = { vpTable, FROM_SIGMA, TO_SIGMA, stepOf, sigmaOfStep, scales, stepFactor, number, said };
  if (typeof module !== "undefined" && module.exports) module.exports = api;
  if (typeof document === "undefined") return;

  // --- the page -------------------------------------------------------------------------------------------

  const LEVELS = [
    ["t", "step t", "1 to 1000"],
    ["abar", "ᾱ, share of signal", "0 to 1"],
    ["logsnr", "log SNR, −2 ln σ", "−∞ to ∞"],
    ["sigma", "σ, ours", "0 to ∞"],
    ["tau", "τ, flow time", "0 to 1"],
  ];
  const LAST = 1000;                       // positions of a slider; its ends are the ends of the quantity
  const SPAN = { sigma: [-3, 3], logsnr: [-14, 14] };   // of log10 sigma, and of log SNR, between the ends

  function fromPlace(name, place) {
    const share = place / LAST, [low, high] = ALLOWED[name];
    if (share === 0) return low;
    if (share === 1) return high;
    if (name === "sigma") return 10 ** (SPAN.sigma[0] + share * (SPAN.sigma[1] - SPAN.sigma[0]));
    if (name === "logsnr") return SPAN.logsnr[0] + share * (SPAN.logsnr[1] - SPAN.logsnr[0]);
    return name === "t" ? Math.max(1, Math.round(share * T)) : share;
  }

  function toPlace(name, value) {
    const [low, high] = ALLOWED[name];
    if (value === low) return 0;
    if (value === high) return LAST;
    let share = value;
    if (name === "sigma") share = (Math.log10(value) - SPAN.sigma[0]) / (SPAN.sigma[1] - SPAN.sigma[0]);
    if (name === "logsnr") share = (value - SPAN.logsnr[0]) / (SPAN.logsnr[1] - SPAN.logsnr[0]);
    if (name === "t") share = value / T;
    return Math.min(Math.max(Math.round(share * LAST), 1), LAST - 1);
  }

  function make(name, settings, ...children) {
    const made = Object.assign(document.createElement(name), settings);
    made.append(...children);
    return made;
  }

  const line = (...parts) => make("div", { className: "converter-row" }, ...parts.flat());
  const group = (title, ...parts) => make("fieldset", {}, make("legend", { textContent: title }), ...parts);

  class Converter {
    constructor(place) {
      Object.assign(this, { sigma: sigmaOfStep(500, "linear"), next: sigmaOfStep(400, "linear"), x: 1, zeta: 1 });
      Object.assign(this, { boxes: {}, sliders: {}, place: place });
      this.table = make("select", { id: "converter-table" }, new Option("linear, 1000 steps (DDPM)", "linear"),
        new Option("cosine, 1000 steps (improved DDPM)", "cosine"));
      this.words = make("p", { className: "converter-words" });
      this.words.setAttribute("role", "status");
      this.wrong = make("p", { className: "converter-wrong" });
      this.wrong.setAttribute("role", "alert");
      this.table.addEventListener("change", () => this.show());
      this.build();
      this.show();
    }

    value(name) { return name === "t" ? stepOf(this.sigma, this.table.value) : FROM_SIGMA[name](this.sigma); }

    factor() { return stepFactor(this.sigma, this.next); }

    setLevel(name, v) {
      this.sigma = name === "t" ? sigmaOfStep(Math.round(v), this.table.value) : TO_SIGMA[name](v);
      this.show(name);
    }

    // One text box: what is typed is checked against the range; `apply` gets the number.
    textBox(id, label, hint, range, apply) {
      const box = make("input", { type: "text", inputMode: "decimal", id: "converter-" + id, autocomplete: "off" });
      box.addEventListener("input", () => {
        const v = number(box.value), good = v >= range[0] && v <= range[1];
        if (good) box.removeAttribute("aria-invalid"); else box.setAttribute("aria-invalid", "true");
        const got = label + ": got “" + box.value + "”, need a number, " + hint + ".";
        this.wrong.textContent = good || !box.value.trim() ? "" : got;
        if (good) { apply(v); this.show(id); }
      });
      box.addEventListener("change", () => {
        box.removeAttribute("aria-invalid");
        this.wrong.textContent = "";
        this.show();
      });
      this.boxes[id] = box;
      return [make("label", { htmlFor: box.id, textContent: label }), box];
    }

    level([name, label, hint]) {
      const slider = make("input", { type: "range", min: 0, max: LAST, step: 1, className: "converter-slider",
        id: "converter-slider-" + name });
      const named = make("label", { htmlFor: slider.id, className: "visually-hidden", textContent: label + ", slider" });
      slider.addEventListener("input", () => this.setLevel(name, fromPlace(name, Number(slider.value))));
      this.sliders[name] = slider;
      return line(this.textBox(name, label, hint, ALLOWED[name], (v) => this.setLevel(name, v)), named, slider);
    }

    build() {
      const any = [-Number.MAX_VALUE, Number.MAX_VALUE], positive = [0, Number.MAX_VALUE];
      const plain = (id, label, apply, range = any, hint = "not infinite") =>
        line(this.textBox(id, label, hint, range, apply));
      this.place.replaceChildren(
        group("Noise level", line(make("label", { htmlFor: this.table.id, textContent: "table of t" }), this.table),
          ...LEVELS.map((row) => this.level(row)), this.wrong, this.words),
        group("One value of a state",
          plain("x", "x, ours", (v) => { this.x = v; }),
          plain("vp", "x in VP", (v) => { this.x = v / scales(this.sigma).vp; }),
          plain("flow", "x in flow", (v) => { this.x = v / scales(this.sigma).flow; })),
        group("A step size, landing at the next level",
          plain("next", "σ′, the next level", (v) => { this.next = v; }, positive, "0 or more"),
          plain("zeta", "ζ for VP", (v) => { this.zeta = v; }),
          plain("ours", "step, ours", (v) => { this.zeta = v / this.factor(); })));
    }

    levelInWords() {
      const sigma = this.sigma, scale = scales(sigma);
      const step = this.value("t"), own = sigmaOfStep(step, this.table.value);
      if (sigma === 0) {
        return "σ = 0 is the clean image. Nothing is noised, all three states are the image itself, and no step of the "
          + "table is this clean.";
      }
      if (sigma === Infinity) {
        return "σ = ∞ is pure noise. VP and flow reach it with the state ε; ours has no such state, and a large finite σ "
          + "stands in. Values and steps cannot be converted here.";
      }
      const near = Math.abs(own / sigma - 1) < 1e-9 ? "This is step " + step + " of the table."
        : "The nearest step of the table is " + step + ", with σ = " + said(own) + ".";
      return near + " VP multiplies our state by " + said(scale.vp) + ", flow by " + said(scale.flow)
        + ". DPM-Solver’s λ is half the log SNR, " + said(this.value("logsnr") / 2) + ".";
    }

    // Every text but the one that is being typed, and every slider but the one that is being dragged.
    show(typedIn) {
      const scale = scales(this.sigma), finite = this.sigma !== Infinity, now = document.activeElement;
      const texts = Object.fromEntries(LEVELS.map(([name]) => [name, said(this.value(name))]));
      texts.next = said(this.next);
      texts.zeta = said(this.zeta);
      texts.x = said(this.x);
      texts.vp = finite ? said(this.x * scale.vp) : "";
      texts.flow = finite ? said(this.x * scale.flow) : "";
      texts.ours = finite ? said(this.zeta * this.factor()) : "";
      Object.entries(texts).forEach(([name, text]) => {
        if (name !== typedIn || now !== this.boxes[name]) this.boxes[name].value = text;
      });
      ["x", "vp", "flow", "zeta", "ours"].forEach((name) => { this.boxes[name].disabled = !finite; });
      LEVELS.forEach(([name]) => {
        if (now !== this.sliders[name]) this.sliders[name].value = toPlace(name, this.value(name));
        this.sliders[name].setAttribute("aria-valuetext", texts[name]);
      });
      this.words.textContent = this.levelInWords();
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const place = document.querySelector(".converter");
    if (place) new Converter(place);
  });
})();
