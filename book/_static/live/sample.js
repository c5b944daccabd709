// "Sample": draws a slice from noise, call by call, and shows the chain.
(function (Live) {
  "use strict";

  const { element, slider, choice, tick, button, picture, colours } = Live;
  const SOLVERS = { ddim: Live.ddim, "2m": Live.dpmpp2m };

  function panel(model, changed) {
    const { settings } = model, [low, high] = settings.height;
    const kinds = settings.contrasts.map(function (name, i) { return [i, name]; });
    let seed = 1;
    const millimetres = function (p) { return Math.round(low + p * (high - low)) + " mm"; };
    const parts = {
      contrast: choice("Contrast", kinds.concat([[-1, "any"]]), changed),
      height: slider("Height of the slice", [0, 1, 0.02], 0.6, millimetres, changed),
      told: tick("tell the network the height", true, changed),
      steps: slider("Network calls", [2, 8, 1], 8, String, changed),
      solver: choice("Solver", [["2m", "DPM-Solver++ 2M"], ["ddim", "DDIM (Euler)"]], changed),
      weight: slider("Guidance weight w", [0, 6, 0.5], 1, function (w) { return w.toFixed(1); }, changed),
    };
    parts.contrast.input.value = settings.contrasts.indexOf("FLAIR");
    const again = button("New noise", function () { seed++; changed(); });
    const boxes = Object.values(parts).map(function (part) { return part.box; });
    const form = element("div", { class: "live-controls", role: "group", "aria-label": "Sample" }, ...boxes, again);
    function read() {
      return {
        label: [Number(parts.contrast.get()), parts.told.get() ? parts.height.get() : -1],
        steps: parts.steps.get(), solver: parts.solver.get(), w: parts.weight.get(), seed: seed,
      };
    }
    return { form, read };
  }

  // What a state of noise level sigma looks like in DDPM's scale, where the variance stays about 1.
  function shrunk(x, sigma, settings) {
    const s = sigma * settings.scale, factor = 1 / Math.sqrt(1 + s * s);
    return x.map(function (v) { return settings.shift + factor * (v - settings.shift); });
  }

  function showing() {
    const now = { x: picture("State x"), x0hat: picture("Estimate x0hat") };
    const strip = element("div", { class: "live-strip" });
    const big = element("div", { class: "live-pair" }, now.x.box, now.x0hat.box);
    const back = slider("Look back at call", [1, 8, 1], 8, String, function () { show(back.get() - 1); });
    let frames = [];
    function show(i) {
      const frame = frames[i];
      if (!frame) return;
      now.x.paint(frame.shown, colours.grey, "noise level " + frame.level.toPrecision(2) + ", before call " + (i + 1));
      now.x0hat.paint(frame.x0hat, colours.grey, i + 1 === frame.of ? "the sample" : "after call " + (i + 1));
      strip.childNodes.forEach(function (box, k) { box.classList.toggle("live-now", k === i); });
    }
    function reset(steps) {
      frames = [];
      strip.replaceChildren();
      back.input.max = steps;
    }
    function add(frame) {
      const call = frames.push(frame), small = { x: picture("x"), x0hat: picture("x0hat") };
      small.x.paint(frame.shown, colours.grey, "before call " + call);
      small.x0hat.paint(frame.x0hat, colours.grey, "after call " + call);
      const level = element("div", { class: "live-level" }, "σ " + frame.level.toPrecision(2));
      strip.append(element("div", { class: "live-step" }, small.x.canvas, small.x0hat.canvas, level));
      back.input.value = frames.length;
      back.say();
      show(frames.length - 1);
    }
    const rows = element("p", { class: "live-rows" }, "Call by call: above the state x, below the estimate x0hat.");
    return { box: element("div", { class: "live-view" }, big, back.box, rows, strip), reset, add };
  }

  // Draws one chain; stops without a word as soon as a newer one is wanted.
  async function chain(model, wish, view, status, current) {
    const { settings } = model, range = settings.sampling;
    const sigmas = Live.karras(wish.steps, range.sigma_min, range.sigma_max, range.rho);
    const start = Live.noise(wish.seed)(Live.SIZE * Live.SIZE).map(function (z) { return sigmas[0] * z; });
    const denoise = Live.guided(model.denoise, wish.w, wish.label), since = performance.now();
    let level = sigmas[0], x = start, inside = 0;
    view.reset(wish.steps);
    for await (const state of SOLVERS[wish.solver](denoise, sigmas, start)) {
      if (!current()) return;
      inside += model.timing.ms;
      view.add({ shown: shrunk(x, level, settings), level: level, x0hat: state.x0hat, of: wish.steps });
      level = state.sigma;
      x = state.x;
    }
    const copies = wish.w === 0 || wish.w === 1 ? "one image" : "two images (guidance)";
    status.textContent = "Sample drawn: " + wish.steps + " calls of " + copies + ", " +
      Math.round(inside / wish.steps) + " ms a call, " + Math.round(performance.now() - since) + " ms in all.";
  }

  // Fills its place and returns the promise of a first sample.
  Live.sample = function (place, model) {
    let done = null;
    const first = new Promise(function (resolve) { done = resolve; });
    const run = Live.replaceable(60), view = showing(), status = element("p", { role: "status", class: "live-status" });
    function changed() {
      const wish = controls.read();
      run(function (current) {
        return chain(model, wish, view, status, current).catch(function (error) {
          status.textContent = "The sampler stopped: " + error.message;
        }).finally(done);
      });
    }
    const controls = panel(model, changed);
    view.box.append(status);
    place.replaceChildren(element("div", { class: "live-panel" }, controls.form, view.box));
    changed();
    return first;
  };
})(globalThis.Live = globalThis.Live || {});
