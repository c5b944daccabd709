"""Mutants of the straight path: file, sound text, wrong text, tests."""

CHORD = "(points[-1] - points[0]) / (times[-1] - times[0])"
EVEN = "torch.linspace(sigma_max / (1 + sigma_max), 0, n + 1"
ROWS = [
    ("samplers/flow.py", "x / (1 + sigma) for", "x / (1 + sigma**2) ** 0.5 for", "samplers_flow"),
    ("samplers/flow.py", CHORD, "points[-1] - points[0]", "samplers_flow"),
    ("samplers/flow.py", "flatten(2).mean(2)", "flatten(2).sum(2)", "samplers_flow"),
    ("samplers/flow.py", "share = spans / (", "share = 0 * spans + spans.mean() / (", "samplers_flow"),
    ("samplers/flow.py", "(velocity - chord)", "(velocity + chord)", "samplers_flow"),
    ("schedules.py", EVEN, "torch.linspace(1 - 1 / sigma_max, 0, n + 1", "samplers_flow"),
]
