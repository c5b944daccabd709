"""Planted wrong answers of chapter 2/05."""

import math

NOTEBOOK = "notebooks/2_sampling_and_conditioning/05_conditioning.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt}


def distances(found, told, own):
    return (found - told).norm(dim=1), (found - own).norm(dim=1)


WRONG = {
    "conditioning-1": [
        (lambda K: 10 * math.log10(K), "pure noise"),
        (lambda K: 20 * math.log10(2 / (1 + 1 / K)), "amplitudes with 20"),
        (lambda K: -10 * math.log10(2 / (1 + 1 / K)), "sign is turned"),
        (lambda K: 10 * math.log10(2), "K to infinity"),
        (lambda K: 2 / (1 + 1 / K), "2V for one draw"),
    ],
    "conditioning-2": [
        (lambda d, k, m, s, z: (1 - m) * (k + s * z) + m * d, "1 means known"),
        (lambda d, k, m, s, z: m * k + (1 - m) * d, "pasted clean"),
        (lambda d, k, m, s, z: m * (k + s**2 * z) + (1 - m) * d, "misprint"),
        (lambda d, k, m, s, z: m * k + (1 - m) * d + s * z, "known pixels only"),
        (lambda d, k, m, s, z: d, "untouched"),
    ],
    "conditioning-3": [
        (lambda n, j, r: n + r * j * ((n - 1) // j), "only r - 1"),
        (lambda n, j, r: n + (r - 1) * ((n - 1) // j), "walked down again"),
        (lambda n, j, r: n * r, "never repeated"),
        (lambda n, j, r: n + (r - 1) * j, "levels above them"),
    ],
    "conditioning-4": [
        (lambda f, t, o: (distances(f, t, o)[0] > distances(f, t, o)[1]).float().mean(), "nearer to `own`"),
        (lambda f, t, o: ((f - t).abs() < (f - o).abs()).float().mean(), "one distance per draw"),
        (lambda f, t, o: (distances(f, t, o)[0] < distances(f, t, o)[1]).float(), "one number"),
        (lambda f, t, o: distances(f, t, o)[0].mean(), "over axis 1"),
    ],
}
