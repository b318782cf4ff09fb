"""Files per second to a supplier: over the kept session, with a fresh login for each, and through the whole outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.numbers import spread
from bench.report import Report, Row
from bench.stacks import Stack
from sandbox.ftp import FtpSandbox
from sandbox.relay import FtpDelayRelay

ONE_WAY_SECONDS = 0.015
TITLES = {"kept": "kept session", "fresh": "a fresh login for each file", "outbox": "the outbox with its rows"}


@dataclass(frozen=True)
class Place:
    """How far away the supplier is, how many files it gets and how often."""

    title: str
    port: int
    count: int
    rounds: int


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Bring files near and far, on each stack in turn, and write what came out."""
    report.part("Files per second to one server (2 kB: upload, two looks, rename), one session at a time")
    server = FtpSandbox(folder / "files-ftp", "bench", "bench-password")
    with server as near, FtpDelayRelay(near.host, near.port, ONE_WAY_SECONDS) as far:
        for place in (Place("loopback", near.port, 200, 3), Place("30 ms away", far.port, 12, 1)):
            found = {stack.key: _bring(stack, place) for stack in stacks}
            _write(place, found, report)


def _bring(stack: Stack, place: Place) -> list[dict[str, float]]:
    return [stack.ask("files", "bench.uploads", _question(place)) for _ in range(place.rounds)]


def _question(place: Place) -> dict:
    server = {"host": "127.0.0.1", "port": place.port, "username": "bench", "password": "bench-password"}
    return {**server, "name": place.title, "count": place.count}


def _write(place: Place, found: dict[str, list[dict[str, float]]], report: Report) -> None:
    for key, title in TITLES.items():
        row = Row(f"{place.title}: {title}")
        for stack, answers in found.items():
            rates = spread([answer[key] for answer in answers])
            row.cells[stack] = f"{rates.median:,.1f}/s"
            row.values[stack] = [round(answer[key], 2) for answer in answers]
        report.add(row)
    row = Row(f"{place.title}: kept session : fresh logins")
    for stack, answers in found.items():
        ratios = [answer["kept"] / answer["fresh"] for answer in answers]
        row.cells[stack] = f"{spread(ratios).median:.2f}"
        row.values[stack] = [round(ratio, 3) for ratio in ratios]
    report.add(row)
