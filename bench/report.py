"""The table that people read and the file that scripts read."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ABSENT = "not here"
LABEL_WIDTH, CELL_WIDTH = 62, 33


@dataclass
class Row:
    """One line: a cell and raw values for each stack, and whether the goal was held there."""

    title: str
    cells: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    goal: str = ""
    held: dict[str, bool] = field(default_factory=dict)


@dataclass
class Report:
    """All that one run found out. `columns` names the stacks, those that are not here included."""

    columns: dict[str, str]
    machine: dict[str, Any]
    parts: list[tuple[str, list[Row]]] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)  # what could not be measured, and why
    seconds: float = 0.0

    @property
    def are_goals_held(self) -> bool:
        """Tell whether no goal was missed."""
        return all(held for _, rows in self.parts for row in rows for held in row.held.values())

    def part(self, title: str) -> None:
        """Begin a part of the table."""
        self.parts.append((title, []))

    def add(self, row: Row) -> None:
        """Add a line to the part."""
        self.parts[-1][1].append(row)

    def text(self) -> str:
        """Return the table."""
        head = "".join(f"{title:<{CELL_WIDTH}}" for title in self.columns.values())
        lines = [f"{'':<{LABEL_WIDTH}}{head}goal"]
        for title, rows in self.parts:
            lines += ["", title, *(self._line(row) for row in rows)]
        lines += [f"\nCould not measure {name}: {reason}" for name, reason in self.broken.items()]
        facts = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        return "\n".join([*lines, "", f"Machine: {facts}. Took {self.seconds:.0f} s."])

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        parts = [{"title": title, "rows": [asdict(row) for row in rows]} for title, rows in self.parts]
        found = {
            "are_goals_held": self.are_goals_held,
            "broken": self.broken,
            "machine": self.machine,
            "seconds": round(self.seconds, 1),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**found, "columns": self.columns, "parts": parts}, indent=1, ensure_ascii=False))

    def _line(self, row: Row) -> str:
        cells = "".join(f"{self._cell(row, key):<{CELL_WIDTH}}" for key in self.columns)
        return f"  {row.title:<{LABEL_WIDTH - 2}}{cells}{row.goal}".rstrip()

    def _cell(self, row: Row, key: str) -> str:
        text = row.cells.get(key, ABSENT)
        if key not in row.held:
            return text
        return f"{text} {'held' if row.held[key] else 'MISSED'}"
