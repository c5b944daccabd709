"""A pytest plugin: the seconds of each test file, the slowest first, at the end of the run."""

from collections import Counter

SECONDS: Counter = Counter()


def pytest_runtest_logreport(report):
    """With several workers, the controller hears of every test here."""
    SECONDS[report.nodeid.partition("::")[0]] += report.duration


def table() -> list[str]:
    """One line a file and their sum; seconds of the tests, set-up and tear-down included."""
    rows = [*SECONDS.most_common(), ("all, one after the other", SECONDS.total())]
    width = max(len(name) for name, _ in rows)
    return [f"{'test file':<{width}}  seconds", *(f"{name:<{width}}  {s:7.1f}" for name, s in rows)]


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("what the test files cost")
    for line in table():
        terminalreporter.line(line)
