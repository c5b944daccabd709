// "Reconstruct": a held-out slice is scanned with the reader's mask and reconstructed by DiffPIR.
(function (Live) {
  "use strict";

  const { element, slider, choice, tick, button, picture, colours } = Live;
  const COUNT = Live.SIZE * Live.SIZE, SCAN_SEED = 1000;
  const ERROR_GAIN = 4;

  function decibels(v) { return v.toFixed(1) + " dB"; }

  function panel(slices, changed) {
    const names = slices.map(function (slice, i) { return [i, slice.name]; });
    const parts = {
      slice: choice("Held-out slice", names, changed),
      lesion: tick("put a lesion into the truth", false, changed),
      noise: slider("Noise of the scan", [0.005, 0.1, 0.005], 0.02, function (v) { return v.toFixed(3); }, changed),
      steps: slider("Network calls", [2, 8, 1], 8, String, changed),
      told: tick("tell the network contrast and height", true, changed),
    };
    const boxes = Object.values(parts).map(function (part) { return part.box; });
    const form = element("div", { class: "live-controls", role: "group", "aria-label": "Reconstruct" }, ...boxes);
    return { form, parts };
  }

  // The scan of one slice: truth with or without the lesion, operator, data, zero filling.
  function scan(slice, mask, lesion, sigmaY) {
    const shape = Live.spot(slice.lesion), amount = slice.lesion.amount;
    const truth = slice.image.map(function (v, k) { return lesion ? v + amount * shape[k] : v; });
    const phase = Live.phaseMap(slice.phase), A = Live.operator(mask, phase);
    const y = Live.simulate(A, truth, sigmaY, Live.noise(SCAN_SEED));
    const everything = Live.operator(new Uint8Array(Live.SIZE).fill(1), phase).forward(truth);
    const share = function (x) { return Live.recovered(x, slice.image, shape, amount); };
    const mark = lesion ? slice.lesion : null;
    return { truth, A, y, sigmaY, share, mark, kspace: everything, zero: Live.zeroFilled(y) };
  }

  // One draw; calls show(x0hat, call) as it goes, and gives null when a newer task has come.
  async function draw(model, problem, wish, seed, show, current) {
    const knobs = model.settings.reconstruction, normal = Live.noise(seed);
    const sigmas = Live.geometric(wish.steps, knobs.sigma_min, knobs.sigma_max);
    const denoise = Live.guided(model.denoise, wish.told ? 1 : 0, wish.label);
    const start = normal(COUNT).map(function (z) { return sigmas[0] * z; });
    let x = null, ms = 0;
    for await (const state of Live.diffpir(
      denoise, problem.A, problem.y, problem.sigmaY, sigmas, start, knobs, normal)) {
      if (!current()) return null;
      ms += model.timing.ms;
      x = state.x;
      show(state.x0hat, state.step + 1);
    }
    return { x, ms: ms / wish.steps };
  }

  function mean(draws) {
    return Float32Array.from({ length: COUNT }, function (_, k) {
      return draws.reduce(function (sum, x) { return sum + x[k]; }, 0) / draws.length;
    });
  }

  function gallery() {
    const made = {
      truth: picture("Truth"), zero: picture("Zero filling"), draw: picture("Reconstruction"),
      error: picture("Error × " + ERROR_GAIN), before: picture("Draw before"),
      between: picture("Difference × " + ERROR_GAIN), mean: picture("Mean of draws"),
    };
    const later = [made.before, made.between, made.mean];
    later.forEach(function (one) { one.box.hidden = true; });
    const boxes = Object.values(made).map(function (one) { return one.box; });
    return { box: element("div", { class: "live-gallery" }, ...boxes), made, later };
  }

  function signed(a, b) {
    return a.map(function (v, k) { return ERROR_GAIN * (v - b[k]); });
  }

  function paintDraws(pictures, problem, draws) {
    const x = draws[draws.length - 1], { made, later } = pictures;
    made.draw.paint(x, colours.grey, decibels(Live.psnr(x, problem.truth)), problem.mark);
    made.error.paint(signed(x, problem.truth), colours.signed, "orange too bright, blue too dark");
    later.forEach(function (one) { one.box.hidden = draws.length < 2; });
    if (draws.length < 2) return;
    const old = draws[draws.length - 2], average = mean(draws);
    made.before.paint(old, colours.grey, decibels(Live.psnr(old, problem.truth)), problem.mark);
    made.between.paint(signed(x, old), colours.signed, "this draw less the one before");
    const score = decibels(Live.psnr(average, problem.truth));
    made.mean.paint(average, colours.grey, draws.length + " draws, " + score, problem.mark);
  }

  function sentence(problem, draws, wish, mask, ms) {
    const lines = mask.reduce(function (a, b) { return a + b; }, 0), x = draws[draws.length - 1];
    const percent = function (image) { return Math.round(100 * problem.share(image)) + " %"; };
    return [
      "Draw " + draws.length + ": reconstruction " + decibels(Live.psnr(x, problem.truth)) + ", zero filling " +
        decibels(Live.psnr(problem.zero, problem.truth)) + ".",
      lines + " of 64 lines, " + (64 / lines).toFixed(1) + "× faster: " + 128 * lines +
        " measured numbers for 4096 pixels.",
      "Where the lesion " + (wish.lesion ? "is" : "would be") + ", the reconstruction shows " + percent(x) +
        " of its signal (truth " + percent(problem.truth) + ").",
      wish.steps + " calls, " + Math.round(ms) + " ms each.",
    ].join("\n");
  }

  // Fills its place and returns the promise of a first reconstruction.
  Live.reconstruct = function (place, model) {
    let done = null;
    const first = new Promise(function (resolve) { done = resolve; });
    const run = Live.replaceable(120), pictures = gallery(), { made } = pictures;
    const status = element("p", { role: "status", class: "live-status" });
    let problem = null, draws = [], seed = 1;

    function read() {
      const slice = model.slices[Number(controls.parts.slice.get())];
      return { slice, label: slice.label, told: controls.parts.told.get(), steps: controls.parts.steps.get(),
        lesion: controls.parts.lesion.get(), noise: controls.parts.noise.get() };
    }

    async function next(wish, mask, current) {
      const preview = function (x, call) {
        made.draw.paint(x, colours.grey, "after call " + call, problem.mark);
      };
      const found = await draw(model, problem, wish, seed, preview, current);
      if (!found) return;
      draws.push(found.x);
      paintDraws(pictures, problem, draws);
      status.textContent = sentence(problem, draws, wish, mask, found.ms);
    }

    function changed() {
      const wish = read(), mask = editor.get();
      run(function (current) {
        if (!mask.some(Boolean)) {
          status.textContent = "No line is measured; measure at least one.";
          return;
        }
        problem = scan(wish.slice, mask, wish.lesion, wish.noise);
        draws = [];
        editor.show(problem.kspace);
        const words = wish.lesion ? "a lesion, where the orange marks meet" : "no lesion";
        made.truth.paint(problem.truth, colours.grey, words, problem.mark);
        made.zero.paint(problem.zero, colours.grey, decibels(Live.psnr(problem.zero, problem.truth)), problem.mark);
        next(wish, mask, current).catch(failed).finally(done);
      });
    }

    function again() {
      if (!problem) return;
      const wish = read(), mask = editor.get();
      run(function (current) {
        seed++;
        next(wish, mask, current).catch(failed);
      });
    }

    function failed(error) { status.textContent = "The reconstruction stopped: " + error.message; }

    const controls = panel(model.slices, changed), editor = Live.maskEditor(changed);
    controls.form.append(button("Draw again", again));
    const left = element("div", { class: "live-left" }, editor.box, controls.form);
    const right = element("div", {}, status, pictures.box);
    place.replaceChildren(element("div", { class: "live-panel" }, left, right));
    changed();
    return first;
  };
})(globalThis.Live = globalThis.Live || {});
