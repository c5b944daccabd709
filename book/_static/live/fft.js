// The Fourier transform of the live page. An image is {re, im}, two Float64Arrays of SIZE * SIZE, row by row.
// Centred and orthonormal, as medtut.physics.mri.fft2c: the zero frequency stands at row and column SIZE / 2.
(function (Live) {
  "use strict";

  const SIZE = 64;

  function complex() {
    return { re: new Float64Array(SIZE * SIZE), im: new Float64Array(SIZE * SIZE) };
  }

  // One line of SIZE numbers that starts at `start` and goes on every `stride`: the radix-2 algorithm of Cooley
  // and Tukey, in place. sign -1 is the transform, +1 its inverse.
  function line(z, start, stride, sign) {
    const re = z.re, im = z.im;
    for (let i = 1, j = 0; i < SIZE; i++) {
      let bit = SIZE >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit; // j is i with its bits in reverse order
      if (i < j) {
        const a = start + i * stride, b = start + j * stride;
        [re[a], re[b]] = [re[b], re[a]];
        [im[a], im[b]] = [im[b], im[a]];
      }
    }
    for (let length = 2; length <= SIZE; length *= 2) {
      for (let k = 0; k < length / 2; k++) {
        const angle = (sign * 2 * Math.PI * k) / length;
        const c = Math.cos(angle), s = Math.sin(angle);
        for (let block = 0; block < SIZE; block += length) {
          const a = start + (block + k) * stride;
          const b = a + (length / 2) * stride;
          const r = c * re[b] - s * im[b], i = s * re[b] + c * im[b];
          re[b] = re[a] - r;
          im[b] = im[a] - i;
          re[a] += r;
          im[a] += i;
        }
      }
    }
  }

  // A shift by half the image in one domain is a change of every second sign in the other. Both shifts together
  // are this sign before and after; the division by SIZE makes the transform orthonormal.
  function signs(z, scale) {
    for (let r = 0; r < SIZE; r++) {
      for (let c = 0; c < SIZE; c++) {
        const factor = (r + c) % 2 ? -scale : scale;
        z.re[r * SIZE + c] *= factor;
        z.im[r * SIZE + c] *= factor;
      }
    }
  }

  function transform(z, sign) {
    const out = { re: Float64Array.from(z.re), im: Float64Array.from(z.im) };
    signs(out, 1);
    for (let r = 0; r < SIZE; r++) line(out, r * SIZE, 1, sign);
    for (let c = 0; c < SIZE; c++) line(out, c, SIZE, sign);
    signs(out, 1 / SIZE);
    return out;
  }

  Live.SIZE = SIZE;
  Live.complex = complex;
  Live.fft2c = function (z) { return transform(z, -1); };
  Live.ifft2c = function (z) { return transform(z, 1); };
})(globalThis.Live = globalThis.Live || {});
