// Runs the mathematics of the live page in node, on what tests/test_live.py writes: node live_page.js IN OUT.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = path.join(__dirname, "..", "book", "_static", "live");
for (const name of ["fft", "diffusion", "scan"]) {
  vm.runInThisContext(fs.readFileSync(path.join(folder, name + ".js"), "utf8"), { filename: name + ".js" });
}
const Live = globalThis.Live;
const given = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const f32 = (list) => Float32Array.from(list);
const spread = (map) => [...map.re, ...map.im];

// A stand-in for the network that test_live.py writes in torch too.
async function net(batch, cNoise, labels) {
  return batch.map((x, b) => x.map((v, k) =>
    Math.tanh(v + 0.1 * labels[b][0] + labels[b][1]) * (0.3 + cNoise / 2000) + 0.2 * Math.sin(k)));
}

async function last(states) {
  let x = null;
  for await (const state of states) x = state.x;
  return Array.from(x);
}

async function main() {
  const out = {}, start = f32(given.start);
  const denoise = Live.denoiser(net, given.shift, given.scale), label = given.label;
  out.karras = Live.karras(8, 0.01, 20, 7);
  out.geometric = Live.geometric(8, 0.02, 5);
  for (const w of [0, 1, 3]) {
    out["denoiser " + w] = Array.from(await Live.guided(denoise, w, label)(start, 0.7));
  }
  const guided = Live.guided(denoise, 3, label), scaled = start.map((z) => out.karras[0] * z);
  out.ddim = await last(Live.ddim(guided, out.karras, scaled));
  out.dpmpp_2m = await last(Live.dpmpp2m(guided, out.karras, scaled));

  const phase = Live.phaseMap(given.phase), A = Live.operator(given.mask, phase), image = f32(given.image);
  out.phase = spread(phase);
  out.measured = spread(A.forward(image));
  const y = { re: Float64Array.from(given.y_re), im: Float64Array.from(given.y_im) };
  out.adjoint = Array.from(A.adjoint(y));
  out.prox = Array.from(Live.prox(A, image, y, 0.3, 6));
  out.zero_filled = Array.from(Live.zeroFilled(y));
  out.psnr = Live.psnr(image, start);
  let drawn = 0;
  const normal = (n) => f32(given.noises[drawn++]).slice(0, n);
  const wide = start.map((z) => out.geometric[0] * z);
  out.diffpir = await last(Live.diffpir(
    Live.guided(denoise, 1, label), A, y, given.noise_std, out.geometric, wide, given.knobs, normal));

  out.simulated = spread(Live.simulate(A, image, given.noise_std, Live.noise(5)));
  out.normals = Array.from(Live.noise(7)(200000));
  out.masks = given.masks.map(([kind, lines, centre]) => Array.from(Live.maskOf(kind, lines, centre, 1)));
  const lesion = { row: 20, column: 30, radius: 2 }, spot = Live.spot(lesion);
  out.spot = Array.from(spot);
  out.recovered = [0, 0.5, 1].map((a) => Live.recovered(image.map((v, k) => v + 0.35 * a * spot[k]), image, spot, 0.35));
  fs.writeFileSync(process.argv[3], JSON.stringify(out));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
