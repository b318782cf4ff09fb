"""In CI a test that is skipped fails the run, unless allowed_skips.txt names it and says why.

A pytest plugin, loaded by the options in pyproject.toml.
"""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("allowed_skips.txt")


def read(text: str) -> dict[str, str]:
    """Return pattern -> reason from lines of `pattern  # reason`; raises ValueError on a line without a reason."""
    allowed = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        pattern, _, reason = (part.strip() for part in line.partition("#"))
        if pattern and not reason:
            raise ValueError(f"{LIST.name}: {pattern} is allowed without a reason")
        if pattern:
            allowed[pattern] = reason
    return allowed


class SkipGuard:
    """Collect what was skipped and fail the run for what is not on the list."""

    def __init__(self, allowed: dict[str, str]) -> None:
        self.allowed = allowed
        self.refused: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        if self.refused and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.refused:
            terminalreporter.section(f"skipped, but not allowed by {LIST.name}", red=True)
        for name, reason in self.refused.items():
            terminalreporter.write_line(f"{name}: {reason}")

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not any(fnmatchcase(report.nodeid, pattern) for pattern in self.allowed):
            self.refused[report.nodeid] = report.longrepr[2] if isinstance(report.longrepr, tuple) else "skipped"


def pytest_configure(config: pytest.Config) -> None:
    """Stand guard where CI=true."""
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(SkipGuard(read(LIST.read_text())), "skip-guard")
