"""Mutants of RePaint: file, sound text, wrong text, tests."""

ROWS = [
    ("samplers/repaint.py", "(s_next**2 - s**2) ** 0.5 * z", "(s_next - s) * z", "samplers_repaint"),
    ("samplers/repaint.py", "ratio = (s_next / s) ** 2", "ratio = s_next / s", "samplers_repaint"),
    ("samplers/repaint.py", "s_next * (1 - ratio) ** 0.5", "s_next * (1 - ratio)", "samplers_repaint"),
    ("samplers/repaint.py", "known.to(x) + s_next * z", "known.to(x) + s * z", "samplers_repaint"),
    ("samplers/repaint.py", "known.to(x) + s_next * z", "known.to(x) + s_next**2 * z", "samplers_repaint"),
    ("samplers/repaint.py", "mask.to(x.device) == 1", "mask.to(x.device) == 0", "samplers_repaint"),
    ("samplers/repaint.py", "resamplings - 1)\n", "resamplings)\n", "samplers_repaint"),
    ("samplers/repaint.py", "range(n - 1, jump - 1", "range(n, jump - 1", "samplers_repaint"),
    ("samplers/repaint.py", "at -= jump", "at -= 1", "samplers_repaint"),
]
