// The few statistics that the quiz and the reader study need, written plainly; tests compare them with SciPy.
(function () {
  "use strict";

  const Z = 1.959963984540054; // of a two-sided 95 % interval
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = (values) => {
    const centre = mean(values);
    return values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (values.length - 1);
  };

  // Wilson's 95 % interval of a proportion: k of n.
  function wilson(k, n) {
    const share = k / n;
    const shrink = 1 + Z ** 2 / n;
    const middle = (share + Z ** 2 / (2 * n)) / shrink;
    const half = (Z / shrink) * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
    return { value: share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
  }

  // Integral of cos^m from 0 to `end`, by Simpson's rule. With x = sqrt(d) tan(a), Student's t is cos^(d-1) in a.
  function cosines(m, end) {
    const n = 2000;
    let sum = 0;
    for (let i = 0; i <= n; i++) {
      const weight = i === 0 || i === n ? 1 : i % 2 ? 4 : 2;
      sum += weight * Math.cos((i * end) / n) ** m;
    }
    return (sum * end) / (3 * n);
  }

  // The number that Student's t with d degrees of freedom exceeds in size with probability 5 %.
  function student(d) {
    const all = cosines(d - 1, Math.PI / 2);
    let low = 0;
    let high = Math.PI / 2;
    for (let i = 0; i < 60; i++) {
      const angle = (low + high) / 2;
      if (cosines(d - 1, angle) / all < 0.95) low = angle;
      else high = angle;
    }
    return Math.sqrt(d) * Math.tan((low + high) / 2);
  }

  // Mean of paired differences and its 95 % interval by Student's t; no interval for fewer than two.
  function paired(differences) {
    const value = mean(differences);
    if (differences.length < 2) return { value: value, low: NaN, high: NaN };
    const half = student(differences.length - 1) * Math.sqrt(variance(differences) / differences.length);
    return { value: value, low: value - half, high: value + half };
  }

  // Area under the ROC curve (Mann-Whitney, a tie counts one half) and its 95 % interval after DeLong.
  function auc(signal, noise) {
    const wins = (s, n) => (s > n ? 1 : s === n ? 0.5 : 0);
    const ofSignal = signal.map((s) => mean(noise.map((n) => wins(s, n))));
    const ofNoise = noise.map((n) => mean(signal.map((s) => wins(s, n))));
    const value = mean(ofSignal);
    const error = Math.sqrt(variance(ofSignal) / signal.length + variance(ofNoise) / noise.length);
    return { value: value, low: Math.max(0, value - Z * error), high: Math.min(1, value + Z * error), error: error };
  }

  const tools = { wilson, student, paired, auc, mean };
  if (typeof module !== "undefined") module.exports = tools;
  else window.medtutStats = tools;
})();
