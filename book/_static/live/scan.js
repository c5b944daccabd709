// The simulated scan of the live page and its reconstruction. One coil, one slice, phase-encode lines = columns:
//   y = M F (P x0) + sigma_y * n,
// M the mask of columns, F the centred orthonormal Fourier transform (fft.js), P = exp(i phi) a smooth phase that
// is taken as known, x0 a real image. Twins: medtut.physics.mri.MRI with P as its one coil map, and
// medtut.posterior.diffpir; tests/test_live.py holds both to the same numbers.
(function (Live) {
  "use strict";

  const SIZE = Live.SIZE, COUNT = SIZE * SIZE;

  // phi[r][c] = sum_ij weight_ij cos(pi i (r + 1/2) / h) cos(pi j (c + 1/2) / w), as medtut.physics.mri.smooth_phase.
  function phaseMap(weights) {
    const phase = Live.complex();
    for (let k = 0; k < COUNT; k++) {
      const r = Math.floor(k / SIZE) + 0.5, c = (k % SIZE) + 0.5;
      let phi = 0;
      weights.forEach(function (line, i) {
        line.forEach(function (w, j) {
          phi += w * Math.cos((Math.PI * i * r) / SIZE) * Math.cos((Math.PI * j * c) / SIZE);
        });
      });
      phase.re[k] = Math.cos(phi);
      phase.im[k] = Math.sin(phi);
    }
    return phase;
  }

  // The operator of a mask (64 numbers, 0 or 1) and a phase: A x, and its adjoint Re(conj(P) F^H M y).
  function operator(mask, phase) {
    function restrict(y) {
      for (let k = 0; k < COUNT; k++) {
        if (mask[k % SIZE]) continue;
        y.re[k] = 0;
        y.im[k] = 0;
      }
      return y;
    }
    function forward(x) {
      const z = Live.complex();
      for (let k = 0; k < COUNT; k++) {
        z.re[k] = phase.re[k] * x[k];
        z.im[k] = phase.im[k] * x[k];
      }
      return restrict(Live.fft2c(z));
    }
    function adjoint(y) {
      const z = Live.ifft2c(y);
      return Float64Array.from({ length: COUNT }, function (_, k) {
        return phase.re[k] * z.re[k] + phase.im[k] * z.im[k];
      });
    }
    return { restrict, forward, adjoint };
  }

  // y = A x0 + sigma_y n; `normal` gives 2 * 4096 numbers. The scan has the operator of the reconstruction.
  function simulate(A, x0, sigmaY, normal) {
    const n = normal(2 * COUNT), y = A.forward(x0);
    for (let k = 0; k < COUNT; k++) {
      y.re[k] += sigmaY * n[2 * k];
      y.im[k] += sigmaY * n[2 * k + 1];
    }
    return A.restrict(y);
  }

  function dot(u, v) {
    let sum = 0;
    for (let k = 0; k < u.length; k++) sum += u[k] * v[k];
    return sum;
  }

  // Conjugate gradients for gram(x) = b from x: medtut.operators.conjugate_gradient.
  function conjugateGradient(gram, b, x, steps) {
    const q0 = gram(x);
    x = Float64Array.from(x);
    const r = b.map(function (v, k) { return v - q0[k]; });
    const p = Float64Array.from(r);
    let rr = dot(r, r);
    for (let i = 0; i < steps && rr > 1e-20 * dot(b, b); i++) {
      const q = gram(p), a = rr / dot(p, q), old = rr;
      for (let k = 0; k < x.length; k++) {
        x[k] += a * p[k];
        r[k] -= a * q[k];
      }
      rr = dot(r, r);
      for (let k = 0; k < x.length; k++) p[k] = r[k] + (rr / old) * p[k];
    }
    return x;
  }

  // argmin_x |A x - y|^2 + rho |x - z|^2, from (A^H A + rho) x = A^H y + rho z: LinearOperator.prox.
  function prox(A, z, y, rho, steps) {
    const back = A.adjoint(y);
    return conjugateGradient(
      function (x) {
        const seen = A.adjoint(A.forward(x));
        return seen.map(function (v, k) { return v + rho * x[k]; });
      },
      back.map(function (v, k) { return v + rho * z[k]; }), Float64Array.from(z), steps);
  }

  // DiffPIR [Zhu et al. 2023, alg. 1], chapter "Splitting and variational methods": the network's estimate, then
  // the data, weighted by the level of x (rho = lam sigma_y^2 / s^2), then noise of the next level, of which the
  // share zeta is fresh. medtut.posterior.diffpir, line by line.
  async function* diffpir(denoise, A, y, sigmaY, sigmas, x, knobs, normal) {
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const s = sigmas[i], sNext = sigmas[i + 1];
      const prior = await denoise(x, s);
      const rho = (knobs.lam * sigmaY * sigmaY) / (s * s);
      const x0hat = Float32Array.from(prox(A, prior, y, rho, knobs.cg_steps));
      const keep = sNext * Math.sqrt(1 - knobs.zeta), fresh = sNext > 0 ? sNext * Math.sqrt(knobs.zeta) : 0;
      const z = fresh > 0 ? normal(COUNT) : null;
      x = x.map(function (v, k) { return x0hat[k] + (keep * (v - x0hat[k])) / s + (z ? fresh * z[k] : 0); });
      yield { step: i, sigma: sNext, x: x, x0hat: x0hat, prior: prior };
    }
  }

  // |F^H M y|, with zeros where nothing was measured: chapter "A first reconstruction".
  function zeroFilled(y) {
    const z = Live.ifft2c(y);
    return Float32Array.from({ length: COUNT }, function (_, k) { return Math.hypot(z.re[k], z.im[k]); });
  }

  // 10 log10(1 / mean squared error): medtut.metrics.psnr with data range 1.
  function psnr(x, reference) {
    let sum = 0;
    for (let k = 0; k < COUNT; k++) sum += (x[k] - reference[k]) ** 2;
    return -10 * Math.log10(sum / COUNT);
  }

  // A round spot with a soft edge, 0 to 1.
  function spot(lesion) {
    return Float32Array.from({ length: COUNT }, function (_, k) {
      const distance = Math.hypot(Math.floor(k / SIZE) - lesion.row, (k % SIZE) - lesion.column);
      return 1 / (1 + Math.exp(3 * (distance - lesion.radius)));
    });
  }

  // How much of the spot an image shows beyond the healthy slice: 1 for the truth with a lesion, 0 without.
  function recovered(x, healthy, shape, amount) {
    let found = 0, whole = 0;
    for (let k = 0; k < COUNT; k++) {
      found += shape[k] * (x[k] - healthy[k]);
      whole += shape[k] * shape[k] * amount;
    }
    return found / whole;
  }

  // Masks of 64 columns; column 32 holds the zero frequency. `lines` of them, `centre` of these in the middle, the
  // others at random ("random") or evenly spaced ("even").
  function maskOf(kind, lines, centre, seed) {
    const mask = new Uint8Array(SIZE), first = SIZE / 2 - Math.floor(centre / 2);
    mask.fill(1, first, first + centre);
    const rest = Array.from(mask.keys()).filter(function (c) { return !mask[c]; }), missing = lines - centre;
    if (kind === "random") {
      const key = Live.noise(seed)(SIZE);
      rest.sort(function (a, b) { return key[a] - key[b]; });
      rest.slice(0, missing).forEach(function (c) { mask[c] = 1; });
    } else {
      for (let i = 0; i < missing; i++) mask[rest[Math.floor(((i + 0.5) * rest.length) / missing)]] = 1;
    }
    return mask;
  }

  Object.assign(Live, { phaseMap, operator, simulate, prox, diffpir, zeroFilled, psnr, spot, recovered, maskOf });
})(globalThis.Live = globalThis.Live || {});
