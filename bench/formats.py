"""Documents per second, rendered and validated, for each format; they need no database, so both columns are one run."""

import os
from collections.abc import Sequence
from pathlib import Path

from bench.report import Report, Row
from bench.stacks import Stack

LINES = 20
SECONDS = 0.5 if os.environ.get("BENCH_QUICK") else 2.0


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Render and validate an order of twenty lines over and over."""
    report.part(f"Documents per second, rendered and validated ({LINES} lines), one after the other")
    question = {"lines": LINES, "seconds": SECONDS, "schemas": os.environ.get("HEMI_REFERENCE_DATA", "")}
    for name, rate in stacks[0].ask("documents", "bench.documents", question).items():
        keys = [stack.key for stack in stacks]
        report.add(Row(name, dict.fromkeys(keys, f"{rate:,.0f}/s"), dict.fromkeys(keys, round(rate, 1))))
