"""How long `move_to_postgres` takes, everybody being stopped meanwhile, and that both sides are then the same."""

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.processes import ROOT, Broken
from bench.report import Report, Row
from bench.stacks import Inside, Stack

ORDERS, QUICK_ORDERS, AT_ONCE = 100_000, 5_000, 5_000
INSTALLATION = "moving"
MOST_MEGABYTES = 300
_SAID = re.compile(r"([\d,]+) rows, \d+ seconds: the same on both sides")


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Fill a SQLite with orders and move it."""
    if len(stacks) < 2:
        return
    source, target = stacks
    wanted = QUICK_ORDERS if os.environ.get("BENCH_QUICK") else ORDERS
    with Inside(source, INSTALLATION, "bench.moving_rows") as inside:
        inside.ask(do="prepare")
        for _ in range(0, wanted, AT_ONCE):
            inside.ask(do="make", count=min(AT_ONCE, wanted))
    address = target.database.format(name=INSTALLATION)
    moved, seconds, usage = _run(source, "move_to_postgres", address)
    checked, _, _ = _run(source, "move_to_postgres", "--check", address)
    memory, own = usage.ru_maxrss / 1000, usage.ru_utime + usage.ru_stime
    report.part(f"Moving {wanted:,} orders ({moved} rows) from SQLite to PostgreSQL")
    cells = {target.key: f"{seconds:.0f} s ({own:.0f} s CPU), {memory:.0f} MB"}
    held = {target.key: moved == checked and memory < MOST_MEGABYTES}
    values = {target.key: {"seconds": seconds, "cpu_seconds": own, "rows": moved, "megabytes": memory}}
    report.add(Row("Copied, and the same by counts and checksums", cells, values, f"< {MOST_MEGABYTES} MB", held))


def _run(source: Stack, *command: str) -> tuple[str, float, resource.struct_rusage]:
    """Return how many rows are the same, the seconds that it took, and what it used."""
    begin = time.monotonic()
    with subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *command],
        env=source.env(INSTALLATION),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    found = _SAID.search(said)
    if not found:
        raise Broken(f"{' '.join(command[:-1])} failed:\n{said[-2000:]}")
    return found[1], time.monotonic() - begin, usage
