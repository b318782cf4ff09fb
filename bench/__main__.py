"""Measure everything, print the table, write var/bench/report.json. The exit code is 1 if a goal was missed."""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import crowd, files, flow, formats, machine, moving, servers, storefront, webhooks
from bench.processes import ROOT, Broken, Processes
from bench.report import Report
from bench.stacks import Stack, embedded

REPORT = ROOT / "var" / "bench" / "report.json"
PARTS: dict[str, Callable[[Sequence[Stack], Path, Report], None]] = {
    "webhooks": webhooks.measure,
    "flow": flow.measure,
    "files": files.measure,
    "crowd": crowd.measure,
    "documents": formats.measure,
    "storefront": storefront.measure,
    "moving": moving.measure,
}
COLUMNS = {"embedded": "SQLite, file broker", "servers": "PostgreSQL, Redis"}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; none means all")
    asked = parser.parse_args().parts or list(PARTS)
    if unknown := set(asked) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what it has started is ended, too
    folder = Path(tempfile.mkdtemp(prefix="hemi-bench-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    try:
        report = _measure(asked, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.write(REPORT)
    print(f"\n{report.text()}\n\nWritten to {REPORT.relative_to(ROOT)}.")
    return 0 if report.are_goals_held and not report.broken else 1


def _measure(asked: Sequence[str], folder: Path) -> Report:
    report, begin = Report(COLUMNS, machine.facts(folder)), time.monotonic()
    with Processes(folder) as processes:
        stacks = [embedded(_made(folder / "embedded"))]
        if absent := servers.missing():
            print(f"{absent} is not installed here: only the embedded default is measured.", flush=True)
        else:
            stacks.append(servers.start(processes, _made(folder / "servers")))
        for name in asked:
            print(f"Measuring {name} …", flush=True)
            try:
                _try(name, stacks, _made(folder / name), report)
            finally:  # a run that is ended before its time leaves what it has found
                report.seconds = time.monotonic() - begin
                report.write(REPORT)
    return report


def _try(name: str, stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    try:
        PARTS[name](stacks, folder, report)
    except (Broken, OSError, subprocess.SubprocessError) as error:
        report.broken[name] = str(error)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
