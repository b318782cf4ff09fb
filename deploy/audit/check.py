"""Ask bandit about our code and pip-audit about what it depends on: every finding is mended, or explained beside this.

Ends with 1 where something is found that accepted.txt does not explain, or where a line of it explains nothing. Where
pip-audit's service cannot be reached that is said; with AUDIT_STRICT=1 it is a failure, too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = Path(__file__).with_name("accepted.txt")
CODE = ("hemi", "integrations", "orders", "suppliers", "sandbox", "bench", "deploy", "manage.py")
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Finding:
    """What a tool said: the id of its rule, where, and in what words."""

    rule: str
    where: str
    words: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.rule} {self.where}{f':{self.line}' if self.line else ''}: {self.words}"


@dataclass(frozen=True)
class Accepted:
    """A line of accepted.txt."""

    rule: str
    where: str
    words: str
    why: str

    def explains(self, finding: Finding) -> bool:
        """Tell whether it is about this finding."""
        return self.rule == finding.rule and fnmatch(finding.where, self.where) and self.words in finding.words


class NotAudited(Exception):
    """A tool could not say anything."""


def main() -> int:
    """Print what is not explained, and return how the process ends."""
    accepted = list(_accepted())
    found = list(_bandit())
    is_blind = False
    try:
        found += _pip_audit()
    except NotAudited as error:
        is_blind = True
        print(f"pip-audit: NOT AUDITED. {error}")
        accepted = [line for line in accepted if line.rule.startswith("B")]
    unexplained = [finding for finding in found if not any(line.explains(finding) for line in accepted)]
    idle = [line for line in accepted if not any(line.explains(finding) for finding in found)]
    for finding in unexplained:
        print(f"not explained: {finding}")
    for line in idle:
        print(f"explains nothing any more: {line.rule} | {line.where} | {line.words}")
    print(f"{len(found)} findings, {len(found) - len(unexplained)} of them explained in {ACCEPTED.relative_to(ROOT)}.")
    return int(bool(unexplained or idle or (is_blind and os.environ.get("AUDIT_STRICT"))))


def _accepted() -> Iterator[Accepted]:
    for text in ACCEPTED.read_text().splitlines():
        if text and not text.startswith("#"):
            yield Accepted(*(part.strip() for part in text.split("|", 3)))


def _bandit() -> Iterator[Finding]:
    said = _run("bandit", "-q", "-f", "json", "-x", "*/tests/*", "-r", *CODE)
    for row in _read(said)["results"]:
        where = row["filename"].removeprefix("./")
        yield Finding(row["test_id"], where, row["issue_text"], row["line_number"])


def _pip_audit() -> list[Finding]:
    said = _run("pip-audit", "-r", "requirements.txt", "--progress-spinner", "off", "-f", "json")
    try:
        rows = _read(said)["dependencies"]
    except (ValueError, KeyError):
        last = (said.stderr.strip().splitlines() or ["It said nothing."])[-1]
        raise NotAudited(last[:300]) from None
    blind = [row for row in rows if "skip_reason" in row]
    if blind:
        raise NotAudited(f"Its service does not know {len(blind)} of {len(rows)} packages: {blind[0]['skip_reason']}")
    return [Finding(fault["id"], row["name"], fault["description"][:200]) for row in rows for fault in row["vulns"]]


def _run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(_BIN / tool), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603


def _read(said: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(said.stdout)


if __name__ == "__main__":
    sys.exit(main())
