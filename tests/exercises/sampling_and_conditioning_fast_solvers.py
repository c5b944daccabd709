"""Planted wrong answers of chapter 2/02."""
import math

NOTEBOOK = "notebooks/2_sampling_and_conditioning/02_fast_solvers.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"math": math, "mt": mt}


def length(s, s_next):
    return math.log(s / s_next)


def raised(s, s_churn, n):
    return (1 + min(s_churn / n, 2**0.5 - 1)) * s


WRONG = {
    "fast-solvers-1": [
        (lambda x, d, s, s_next: (1 - s_next / s) * x + s_next / s * d, "exchanged"),
        (lambda x, d, s, s_next: s / s_next * x + (1 - s / s_next) * d, "upside down"),
        (lambda x, d, s, s_next: s_next / s * x + d, "sum to 1"),
        (lambda x, d, s, s_next: s_next / s * x, "does not pull"),
        (lambda x, d, s, s_next: (s_next / s) ** 2 * x + (1 - (s_next / s) ** 2) * d, "step of the SDE"),
        (lambda x, d, s, s_next: x + (s_next - s) * (x - d), "two limits"),
    ],
    "fast-solvers-2": [
        (lambda now, before, *s: now + length(*s[1:]) / length(*s[:2]) * (now - before), "half as far"),
        (lambda now, before, *s: now + length(*s[:2]) / (2 * length(*s[1:])) * (now - before), "exchanged"),
        (lambda now, before, *s: now - length(*s[1:]) / (2 * length(*s[:2])) * (now - before), "back"),
        (lambda now, before, *s: now + (now - before) / 2, "same length"),
        (lambda now, before, sb, s, sn: now + (s - sn) / (2 * (sb - s)) * (now - before), "not in sigma"),
        (lambda now, before, *s: now, "DDIM's guess"),
        (lambda now, before, *s: before, "for steps of the same length"),
    ],
    "fast-solvers-3": [
        (lambda n, error, target, p: math.ceil(n * error / target), "order 1"),
        (lambda n, error, target, p: math.ceil(n * (target / error) ** (1 / p)), "upside down"),
        (lambda n, error, target, p: n * (error / target) ** p, "ROOT"),
        (lambda n, error, target, p: (error / target) ** (1 / p), "multiply by n"),
        (lambda n, error, target, p: n * (error / target) ** (1 / p), "whole number"),
        (lambda n, error, target, p: math.floor(n * (error / target) ** (1 / p) + 1e-9), "not down"),
        (lambda n, error, target, p: math.ceil(n * (error / target) ** 0.5), "the order p"),
    ],
    "fast-solvers-4": [
        (lambda s, s_churn, n: raised(s, s_churn, n) - s, "variances that add"),
        (lambda s, s_churn, n: raised(s, s_churn, n), "new level itself"),
        (lambda s, s_churn, n: raised(s, s_churn, n) ** 2 - s**2, "that is the variance"),
        (lambda s, s_churn, n: (raised(s, s_churn, 1) ** 2 - s**2) ** 0.5, "shared out"),
        (lambda s, s_churn, n: (raised(1.0, s_churn, n) ** 2 - 1) ** 0.5, "level s is missing"),
        (lambda s, s_churn, n: s * ((1 + s_churn / n) ** 2 - 1) ** 0.5, "cap is missing"),
    ],
}
