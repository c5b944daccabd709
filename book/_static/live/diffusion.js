// Denoiser, guidance and samplers of the live page, in the one convention of this course:
//   x = x0 + sigma * eps, and D(x, sigma) is the network's estimate x0hat of E[x0 | x].
// An image is a Float32Array of 64 * 64 numbers, a batch a list of them. Each function names its twin in medtut;
// tests/test_live.py holds both to the same numbers.
(function (Live) {
  "use strict";

  // ---- noise levels: medtut.schedules, chapter "Fast solvers", "Where to put the levels" ----

  // n levels evenly spaced in sigma^(1/rho), then 0 [Karras et al. 2022, eq. 5].
  function karras(n, sigmaMin, sigmaMax, rho) {
    const high = sigmaMax ** (1 / rho), low = sigmaMin ** (1 / rho);
    const levels = Array.from({ length: n }, function (_, i) {
      return (high + (n > 1 ? (i / (n - 1)) * (low - high) : 0)) ** rho;
    });
    return levels.concat(0);
  }

  // n levels in geometric progression, then 0.
  function geometric(n, sigmaMin, sigmaMax) {
    const levels = Array.from({ length: n }, function (_, i) {
      return sigmaMax * (sigmaMin / sigmaMax) ** (n > 1 ? i / (n - 1) : 0);
    });
    return levels.concat(0);
  }

  // ---- randomness: one seed, one stream ----

  // Standard normal numbers from a seed: mulberry32 and the Box-Muller transform.
  function noise(seed) {
    let state = seed >>> 0;
    function uniform() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    }
    return function (count) {
      return Float32Array.from({ length: count }, function () {
        return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
      });
    };
  }

  // ---- the denoiser: medtut.denoisers, chapter "Noise and denoising" ----

  // `net(batch, cNoise, labels)` is the raw network, a promise of a batch. It predicts
  // v = (eps - sigma x0) / sqrt(1 + sigma^2) of images in its own range (x - shift) * scale. This returns
  // D(batch, sigma, labels) in physical units: Preconditioned(net, v()) inside Ranged(shift, scale).
  function denoiser(net, shift, scale) {
    return async function (batch, sigma, labels) {
      const s = sigma * scale;
      const cSkip = 1 / (1 + s * s);
      const cOut = -s / Math.sqrt(1 + s * s);
      const cIn = 1 / Math.sqrt(1 + s * s);
      const cNoise = (1000 * 2 / Math.PI) * Math.atan(s);
      const inside = batch.map(function (x) { return x.map(function (p) { return (p - shift) * scale; }); });
      const scaled = inside.map(function (x) { return x.map(function (u) { return cIn * u; }); });
      const v = await net(scaled, cNoise, labels);
      return inside.map(function (x, b) {
        return x.map(function (u, i) { return (cSkip * u + cOut * v[b][i]) / scale + shift; });
      });
    };
  }

  // Classifier-free guidance, D = D_null + w (D_label - D_null): medtut.denoisers.guided, chapter "Guidance".
  // One call on the doubled batch; w = 0 and w = 1 need only one half of it.
  function guided(denoise, w, label) {
    const nothing = [-1, -1];
    return async function (x, sigma) {
      if (w === 0 || w === 1) return (await denoise([x], sigma, [w ? label : nothing]))[0];
      const [free, told] = await denoise([x, x], sigma, [nothing, label]);
      return free.map(function (d, i) { return d + w * (told[i] - d); });
    };
  }

  // ---- samplers: async generators of {step, sigma, x, x0hat}, one network call a step ----

  // From level s to sNext along x0hat, medtut.samplers.ancestral.renoise with eta = 0.
  function renoise(x, x0hat, s, sNext) {
    return x.map(function (v, i) { return x0hat[i] + (sNext / s) * (v - x0hat[i]); });
  }

  // DDIM, which is Euler's method for dx/dsigma = (x - D) / sigma: medtut.samplers.ancestral.ddim.
  async function* ddim(denoise, sigmas, x) {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const x0hat = await denoise(x, sigmas[i]);
      x = renoise(x, x0hat, sigmas[i], sigmas[i + 1]);
      yield { step: i, sigma: sigmas[i + 1], x: x, x0hat: x0hat };
    }
  }

  // DPM-Solver++ (2M): D is continued along a line in log sigma to the middle of the step; the first step, and
  // the one to sigma = 0, are DDIM: medtut.samplers.exponential.dpmpp_2m, chapter "Fast solvers".
  async function* dpmpp2m(denoise, sigmas, x) {
    let before = null;
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const s = sigmas[i], sNext = sigmas[i + 1];
      const x0hat = await denoise(x, s);
      let middle = x0hat;
      if (before && sNext > 0) {
        const half = Math.log(s / sNext) / Math.log(before.s / s) / 2;
        middle = x0hat.map(function (d, j) { return d + half * (d - before.x0hat[j]); });
      }
      x = renoise(x, middle, s, sNext);
      before = { s: s, x0hat: x0hat };
      yield { step: i, sigma: sNext, x: x, x0hat: x0hat };
    }
  }

  Object.assign(Live, { karras, geometric, noise, denoiser, guided, ddim, dpmpp2m });
})(globalThis.Live = globalThis.Live || {});
