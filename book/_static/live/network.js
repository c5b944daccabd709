// Loads the settings and the network of the live page, or says in one sentence why that cannot be.
(function (Live) {
  "use strict";

  const here = document.currentScript ? new URL(".", document.currentScript.src).href : "";

  // Why nothing can be computed in this browser, or "" if it can.
  function obstacle() {
    if (location.protocol === "file:") {
      return "This page was opened as a file, and a browser lets no file load the network; " +
        "run make serve and open localhost:8000, or visit the site.";
    }
    if (typeof WebAssembly !== "object") {
      return "WebAssembly is off in this browser, and the network needs it; switch it on, or use another browser.";
    }
    if (typeof Worker !== "function") return "This browser has no web workers, and the network runs in one.";
    return "";
  }

  // A worker whose calls are promises; `ms` of the last answer is kept in `timing`.
  function startWorker(timing) {
    const worker = new Worker(here + "worker.js"), open = new Map();
    let count = 0;
    worker.onmessage = function (message) {
      const answer = message.data, waiting = open.get(answer.id);
      open.delete(answer.id);
      timing.ms = answer.ms;
      if (answer.error) waiting.reject(new Error(answer.error));
      else waiting.resolve(answer.out);
    };
    worker.onerror = function (event) {
      open.forEach(function (waiting) { waiting.reject(new Error(event.message || "the worker did not start")); });
      open.clear();
    };
    return function (task) {
      return new Promise(function (resolve, reject) {
        const id = count++;
        open.set(id, { resolve, reject });
        worker.postMessage(Object.assign({ id: id }, task));
      });
    };
  }

  // The raw network net(batch, cNoise, labels), a promise of a batch; see Live.denoiser.
  function network(send) {
    const pixels = Live.SIZE * Live.SIZE;
    return async function (batch, cNoise, labels) {
      const x = new Float32Array(batch.length * pixels);
      batch.forEach(function (image, b) { x.set(image, b * pixels); });
      const out = await send({ x: x, cNoise: cNoise, labels: Float32Array.from(labels.flat()) });
      return batch.map(function (_, b) { return out.subarray(b * pixels, (b + 1) * pixels); });
    };
  }

  function unpack(slice, grey) {
    const bytes = atob(slice.pixels);
    const image = Float32Array.from(bytes, function (letter) { return (letter.charCodeAt(0) / 255) * grey; });
    return Object.assign({}, slice, { image: image });
  }

  // {net, denoise, timing, settings, slices}, once; every part of the page shares them.
  let loaded = null;
  function load() {
    loaded = loaded || (async function () {
      const answer = await fetch(here + "live.json");
      if (!answer.ok) throw new Error("live.json was not found");
      const settings = await answer.json(), timing = { ms: 0 }, send = startWorker(timing);
      await send({ file: settings.file });
      const net = network(send), denoise = Live.denoiser(net, settings.shift, settings.scale);
      const slices = settings.slices.map(function (slice) { return unpack(slice, settings.grey); });
      return { net, denoise, timing, settings, slices };
    })();
    return loaded;
  }

  Object.assign(Live, { obstacle, load });
})(globalThis.Live = globalThis.Live || {});
