"""Mutants of the fast solvers: file, sound text, wrong text, tests."""

ROWS = [
    ("samplers/exponential.py", "/ (2 * r)", "/ r", "samplers_fast"),
    (
        "samplers/exponential.py",
        "x0hat + (x0hat - x0hat_before)",
        "x0hat - (x0hat - x0hat_before)",
        "samplers_fast",
    ),
    ("samplers/exponential.py", "or s_next == 0", "or s_next < 0.02", "equivalence_fast"),
    ("samplers/exponential.py", "s, s_next, eta, generator)", "s, s_next, eta)", "samplers_fast"),
    ("samplers/exponential.py", "(s * s_next) ** 0.5", "(s + s_next) / 2", "equivalence_fast"),
    ("samplers/exponential.py", "first = 1 / -math.expm1(-h) - 1 / h", "first = 1 / 2", "samplers_fast"),
    ("samplers/exponential.py", "- 2 * first / h", "- first / h", "samplers_fast"),
    ("samplers/exponential.py", "/ (1 + r)", "/ (1 - r)", "samplers_fast"),
    ("samplers/exponential.py", "first * (slope - bend)", "first * (slope + bend)", "samplers_fast"),
    ("samplers/exponential.py", "return (left + arrived) / 2", "return left", "equivalence_fast"),
    ("samplers/exponential.py", "renoise(came_from, _over", "renoise(x, _over", "samplers_fast"),
    ("samplers/ode.py", "(raised**2 - s**2) ** 0.5", "(raised - s)", "samplers_fast"),
    ("samplers/ode.py", "* s_noise * randn", "* randn", "samplers_fast"),
    ("samplers/ode.py", "2**0.5 - 1)", "2**0.5)", "samplers_fast"),
    ("samplers/ode.py", "s_min <= s <= s_max", "s_min <= s", "samplers_fast"),
    ("samplers/ode.py", "            s = raised\n", "", "samplers_fast"),
    ("samplers/ode.py", "s_next > 0 and order == 2", "order == 2", "samplers_fast"),
]
