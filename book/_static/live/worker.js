// The network of the live page, in a thread of its own so that the page stays free. It gets raw inputs
// {id, x, cNoise, labels} and answers {id, out, ms}; all mathematics around the network stands in diffusion.js.
"use strict";

importScripts("ort.wasm.min.js");

const PIXELS = 64 * 64;
const folder = new URL(".", self.location.href).href;
ort.env.wasm.numThreads = 1; // more would need a site with cross-origin isolation
ort.env.wasm.wasmPaths = folder;
ort.env.logLevel = "error";

let session = null;

async function open(file) {
  const answer = await fetch(folder + file);
  if (!answer.ok) throw new Error(file + " was not found");
  return ort.InferenceSession.create(await answer.arrayBuffer(), { executionProviders: ["wasm"] });
}

async function call(x, cNoise, labels) {
  const b = x.length / PIXELS;
  const inputs = {
    x: new ort.Tensor("float32", x, [b, 1, 64, 64]),
    c_noise: new ort.Tensor("float32", new Float32Array(b).fill(cNoise), [b]),
    label: new ort.Tensor("float32", labels, [b, 2]),
  };
  return (await (await session).run(inputs)).out.data;
}

self.onmessage = async function (message) {
  const task = message.data;
  try {
    if (task.file) {
      session = open(task.file);
      await session;
      self.postMessage({ id: task.id });
      return;
    }
    const since = performance.now();
    const out = await call(task.x, task.cNoise, task.labels);
    self.postMessage({ id: task.id, out: out, ms: performance.now() - since });
  } catch (error) {
    self.postMessage({ id: task.id, error: String((error && error.message) || error) });
  }
};
