"""Thousands of due files for twenty suppliers, one of them hung and one refusing its password.

How much longer do the other eighteen take than without those two? Every process runs as `manage.py serve` starts it.
All files are due from one moment on, and the time ends when the last file of the eighteen is recorded as sent.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.numbers import spread
from bench.places import Place
from bench.processes import HOST, Broken, Processes, free_port
from bench.report import Report, Row
from bench.stacks import Inside, Stack
from sandbox.real_servers import Vsftpd
from sandbox.sockets import listen

IS_QUICK = bool(os.environ.get("BENCH_QUICK"))
SUPPLIERS, BAD = 20, 2
FILES = int(os.environ.get("BENCH_CROWD", "2000" if IS_QUICK else "10000"))
ROUNDS = 1 if IS_QUICK else 3
SIZE = 2_000
GOAL = 1.15


@dataclass
class Crowd:
    """One stack's seconds for the eighteen suppliers, with the two and without them, round by round."""

    alone: list[float] = field(default_factory=list)
    with_the_two: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Return how many times as long it took with the two, round by round."""
        return [slow / fast for slow, fast in zip(self.with_the_two, self.alone, strict=True)]


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Let each stack bring the files, now with the two bad suppliers and now without."""
    each = FILES // SUPPLIERS
    title = f"{FILES:,} due files for {SUPPLIERS} suppliers, one hung and one refusing its password"
    report.part(f"{title}: seconds of the other {SUPPLIERS - BAD}")
    if not Vsftpd.is_available():
        report.broken["the crowd of suppliers"] = "vsftpd is not installed here"
        return
    crowds = {stack.key: _run(stack, folder, each) for stack in stacks}
    for name, seconds in (("alone", "alone"), ("with the two", "with_the_two")):
        row = Row(f"{(SUPPLIERS - BAD) * each:,} files {name}")
        for key, crowd in crowds.items():
            found = spread(getattr(crowd, seconds))
            row.cells[key] = f"{found.median:.1f} s  {(SUPPLIERS - BAD) * each / found.median:,.0f} files/s"
            row.values[key] = getattr(crowd, seconds)
        report.add(row)
    row = Row("with the two : alone", goal=f"≤ {GOAL:g}")
    for key, crowd in crowds.items():
        found = spread(crowd.ratios)
        row.cells[key] = f"{found.median:.2f}  ({found.lowest:.2f}–{found.highest:.2f})"
        row.values[key], row.held[key] = crowd.ratios, found.median <= GOAL
    report.add(row)


def _run(stack: Stack, folder: Path, each: int) -> Crowd:
    crowd = Crowd()
    with ExitStack() as world:
        server = world.enter_context(Vsftpd("ftp"))
        hung = world.enter_context(listen(0))  # takes connections and never says a word
        hung.listen(128)
        place = Place(server, server.port, is_far=False)
        endpoints = [place.endpoint] * (SUPPLIERS - BAD)
        endpoints.append({**place.endpoint, "password": "wrong-password"})
        endpoints.append({**place.endpoint, "port": hung.getsockname()[1]})
        names = [f"{stack.key}-{number}" for number in range(SUPPLIERS)]
        paths = [place.make_folder(name) for name in names]
        inside = world.enter_context(Inside(stack, "crowd", "bench.crowd_rows"))
        rows = [{**columns, "orders_folder": path} for columns, path in zip(endpoints, paths, strict=True)]
        inside.ask(do="prepare", endpoints=rows)
        processes, port = world.enter_context(Processes(folder)), free_port()
        serve = [sys.executable, "manage.py", "serve", "--host", HOST, "--port", str(port)]
        processes.start(f"{stack.key}-serve", serve, stack.env("crowd"), port=port)
        inside.ask(do="bring", each=20, size=SIZE, is_with_the_two=False)  # all processes have started
        for turn in range(2 * ROUNDS):
            is_with = turn % 4 in (1, 2)  # A B B A
            found = inside.ask(do="bring", each=each, size=SIZE, is_with_the_two=is_with)
            (crowd.with_the_two if is_with else crowd.alone).append(_seconds(found))
            print(f"  {stack.title}: {'with' if is_with else 'without'} the two {_seconds(found):.1f} s", flush=True)
        _check(place, names, 20 + 2 * ROUNDS * each)
    return crowd


def _seconds(found: dict[str, Any]) -> float:
    if not found["seconds"]:
        raise Broken(f"Only {found['sent']} of {found['count']} files were sent in time.")
    return found["seconds"]


def _check(place: Place, names: list[str], count: int) -> None:
    for name in names[: SUPPLIERS - BAD]:
        place.empty(name, count, SIZE)
