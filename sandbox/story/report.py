"""What the story tells: one line a step, and a file for scripts."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Step:
    """One step and how we know that it held."""

    name: str
    ok: bool
    seconds: float
    evidence: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'} {self.seconds:6.1f} s  {self.name}\n{'':15}{self.evidence}"


@dataclass
class Report:
    """All steps so far, the files that suppliers got, and how many orders were placed."""

    steps: list[Step] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)
    orders: int = 0
    is_complete: bool = False

    @property
    def ok(self) -> bool:
        """Whether every step was played and held."""
        return self.is_complete and all(step.ok for step in self.steps)

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        steps = [asdict(step) for step in self.steps]
        told = {"ok": self.ok, "steps": steps, "delivered": self.delivered, "orders": self.orders}
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
