"""A pytest plugin beside nbval: seconds and peak memory per notebook, a table, and failure over budget."""

from collections import defaultdict

import budget
import pytest

SECONDS: dict[str, float] = defaultdict(float)
GIB: dict[str, float] = defaultdict(float)


def name_of(nodeid: str) -> str:
    return nodeid.partition("::")[0].removeprefix("notebooks/").removesuffix(".ipynb")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item):
    """After each cell, while its kernel still lives."""
    kernel = getattr(item.parent, "kernel", None)
    if kernel is not None:
        GIB[name_of(item.nodeid)] = budget.peak_gib(kernel.km.provisioner.pid)


def pytest_runtest_logreport(report):
    if ".ipynb" in report.nodeid:
        SECONDS[name_of(report.nodeid)] += report.duration


def costs() -> dict[str, tuple[float, float]]:
    return {name: (SECONDS[name], GIB[name]) for name in SECONDS}


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("what the notebooks cost")
    for line in [*budget.table(costs()), *budget.faults(costs())]:  # the mean is said, and fails no run
        terminalreporter.line(line)


def pytest_sessionfinish(session):
    if budget.faults(costs(), mean_too=False):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
