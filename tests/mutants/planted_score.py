"""Mutants of score matching and Langevin dynamics: file, sound text, wrong text, tests."""

ROWS = [
    ("samplers/langevin.py", "alpha / 2 * score", "alpha * score", "samplers_langevin"),
    ("samplers/langevin.py", "alpha**0.5 * randn", "(2 * alpha) ** 0.5 * randn", "samplers_langevin"),
    ("samplers/langevin.py", "step_size * s**2", "step_size * s", "samplers_langevin"),
    ("samplers/langevin.py", "(x0hat - x) / s**2", "(x - x0hat) / s**2", "samplers_langevin"),
    ("samplers/langevin.py", "x0hat = denoise(x, s)\n        yield", "yield", "samplers_langevin"),
    ("samplers/langevin.py", "for _ in range(steps)", "for _ in range(steps + 1)", "samplers_langevin"),
    (
        "score_matching.py",
        "return trace + s.square().flatten(1).sum(1) / 2\n\n\n@",
        "return trace\n\n\n@",
        "score_matching",
    ),
    ("score_matching.py", "for _ in range(slices)) / slices", "for _ in range(slices))", "score_matching"),
    ("score_matching.py", "(gradient * v).flatten(1)", "gradient.flatten(1)", "score_matching"),
]
