"""The matrix of faults and outcomes, for people and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemi.drill import rows
from hemi.drill.stage import Case

_HEAD = f"{'fault':<58} {'server':<7} {'outcome':<22} {'s':>5} {'files':>5} {'tries':>5}  recorded then"


@dataclass(frozen=True)
class Row:
    """One case, as it ended."""

    fault: str
    server: str
    outcome: str
    seconds: float
    files: int
    attempts: int
    steps: list[str]
    problems: list[str]

    def __str__(self) -> str:
        counts = f"{self.seconds:>5.1f} {self.files:>5} {self.attempts:>5}"
        told = f"{self.fault:<58} {self.server:<7} {self.outcome:<22} {counts}  {', '.join(dict.fromkeys(self.steps))}"
        return "\n".join([told.rstrip(), *(f"    {problem}" for problem in self.problems)])


def head() -> str:
    """Return the line above the rows."""
    return _HEAD


def row(case: Case) -> Row:
    """Return a case's row."""
    outcome = "FAILED" if case.problems else ("settled by a person" if case.was_uncertain else "once each, whole")
    return Row(
        case.point.name,
        case.point.kind,
        outcome,
        round(case.seconds, 1),
        len(case.ids),
        rows.attempts(case.supplier),
        case.steps,
        case.problems,
    )


def totals(found: Sequence[Row], lost: Sequence[str], orders: int) -> dict[str, Any]:
    """Return the sums."""
    return {
        "fault_points": len(found),
        "orders": orders,
        "attempts": sum(row.attempts for row in found),
        "settled_by_a_person": sum(row.outcome == "settled by a person" for row in found),
        "failed": sum(bool(row.problems) for row in found),
        "lost": list(lost),
    }


def write(path: Path, found: Sequence[Row], **more: Any) -> None:
    """Write the report."""
    path.write_text(json.dumps({**more, "matrix": [vars(row) for row in found]}, indent=1))
