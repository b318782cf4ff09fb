"""Files per second to a supplier, beside lftp or sftp and beside a fresh login for each, with and without the rows.

All bring as many files of one size, over as many sessions, to empty folders of the same server. In each round everybody
has a turn, each round beginning with another one; a ratio is taken within a round, then the median over the rounds.
"""

import itertools
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench import peers, places
from bench.numbers import spread
from bench.peers import Load
from bench.places import Place
from bench.report import Report, Row
from bench.stacks import Inside, Stack

IS_QUICK = bool(os.environ.get("BENCH_QUICK"))
NEAR_ROUNDS = 1 if IS_QUICK else 3
FAR_ROUNDS = int(os.environ.get("BENCH_FAR_ROUNDS", "1" if IS_QUICK else "2"))  # distance decides: they hardly differ
SIZES, SESSIONS = (2_000, 200_000), (1, 4)
NEAR_COUNTS = {2_000: 1200, 200_000: 600}
FAR_COUNT = 24 if IS_QUICK else 40  # files for each session: logins are to weigh as they do in a run
FRESH_SECONDS = 1.0
FRESH_GOAL = 3.0
# The transport alone, and the outbox with its rows; 30 ms away Hemi is to be ahead.
PEER_GOALS = {False: (0.9, 0.6), True: (1.0, 1.0)}


@dataclass
class Contest:
    """Who is measured with one load at one place, and the files per second of each round."""

    place: Place
    load: Load
    rates: dict[str, list[float]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Return what the row is called."""
        load = self.load
        return f"{self.place.title}, {load.size // 1000} kB, {load.sessions} session{'s' * (load.sessions > 1)}"

    def run(self, contenders: dict[str, Callable[[str], tuple[float, int]]]) -> None:
        """Let everybody bring the files in each round."""
        names = list(contenders)
        for turn in range(FAR_ROUNDS if self.place.is_far else NEAR_ROUNDS):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                folder = f"{name.replace(' ', '-')}-{turn}"
                rate, count = contenders[name](self.place.make_folder(folder))
                self.place.empty(folder, count, self.load.size)
                self.rates.setdefault(name, []).append(rate)

    def ratios(self, name: str, other: str) -> list[float]:
        """Return how many times the other's rate this one has, round by round."""
        return [mine / its for mine, its in zip(self.rates[name], self.rates[other], strict=True)]


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Bring files everywhere in every way, and write what came out."""
    report.part(
        "Files per second: Hemi's transport, and its outbox with all rows, beside the peer with as many sessions"
    )
    for name in (*places.missing(), *peers.missing()):
        report.broken[f"files with {name}"] = "it is not installed here"
    if peers.missing():
        return
    with ExitStack() as world:
        insides = {stack.key: world.enter_context(Inside(stack, "files", "bench.uploads")) for stack in stacks}
        for inside in insides.values():
            inside.ask(do="prepare")
        for place in places.start(world):
            for size, sessions in itertools.product(SIZES, SESSIONS):
                count = FAR_COUNT * sessions if place.is_far else NEAR_COUNTS[size]
                contest = Contest(place, Load(count, size, sessions))
                print(f"  {contest.title} …", flush=True)
                contest.run(_contenders(contest, insides, folder))
                _write(contest, list(insides), report)
    report.add(Row("FTPS 30 ms away: not measured, the relay cannot follow it", dict.fromkeys(insides, "-")))


def _contenders(
    contest: Contest, insides: dict[str, Inside], work: Path
) -> dict[str, Callable[[str], tuple[float, int]]]:
    first = next(iter(insides.values()))
    found = {"peer": partial(_by_peer, contest, work), "transport": partial(_by_transport, contest, first)}
    found |= {f"outbox {key}": partial(_by_outbox, contest, inside) for key, inside in insides.items()}
    return {**found, "fresh": partial(_by_fresh_logins, contest, first)}


def _by_peer(contest: Contest, work: Path, path: str) -> tuple[float, int]:
    return peers.bring(contest.place, contest.load, path, work), contest.load.count


def _by_transport(contest: Contest, inside: Inside, path: str) -> tuple[float, int]:
    load = contest.load
    shape = {"path": path, "count": load.count, "size": load.size, "most": load.sessions}
    found = inside.ask(do="transport", endpoint=contest.place.endpoint, **shape)
    return found["rate"], int(found["count"])


def _by_fresh_logins(contest: Contest, inside: Inside, path: str) -> tuple[float, int]:
    shape = {"path": path, "seconds": FRESH_SECONDS, "size": contest.load.size, "most": contest.load.sessions}
    found = inside.ask(do="fresh", endpoint=contest.place.endpoint, **shape)
    return found["rate"], int(found["count"])


def _by_outbox(contest: Contest, inside: Inside, path: str) -> tuple[float, int]:
    load = contest.load
    shape = {"path": path, "count": load.count, "size": load.size, "most": load.sessions}
    made = inside.ask(do="make_due", endpoint=contest.place.endpoint, **shape)
    found = inside.ask(do="outbox", endpoint_id=made["endpoint_id"])
    return found["rate"], int(found["count"])


def _write(contest: Contest, keys: list[str], report: Report) -> None:
    is_far, peer = contest.place.is_far, peers.name_for(contest.place)
    # The goals are for FTP; the other protocols are shown beside their peers without one.
    goals: tuple[float | None, float | None] = (None, None)
    if contest.place.server.protocol == "ftp":
        goals = PEER_GOALS[is_far]
    alone, outbox = dict.fromkeys(keys, "transport"), {key: f"outbox {key}" for key in keys}
    report.add(_ratio(contest, f"{contest.title}: transport : {peer}", alone, "peer", goals[0]))
    report.add(_ratio(contest, f"{contest.title}: outbox : {peer}", outbox, "peer", goals[1]))
    fresh_goal = FRESH_GOAL if is_far else None
    report.add(_ratio(contest, f"{contest.title}: outbox : fresh logins", outbox, "fresh", fresh_goal))


def _ratio(contest: Contest, title: str, names: dict[str, str], other: str, goal: float | None) -> Row:
    row = Row(title, goal=f"≥ {goal:g}" if goal else "")
    for key, name in names.items():
        found, mine = spread(contest.ratios(name, other)), spread(contest.rates[name])
        its = spread(contest.rates[other])
        row.cells[key] = f"{found.median:.2f}  {mine.median:,.0f} : {its.median:,.0f}/s"
        if mine.median < 100:
            row.cells[key] = f"{found.median:.2f}  {mine.median:.1f} : {its.median:.1f}/s"
        row.values[key] = {"rates": contest.rates[name], "others": contest.rates[other]}
        if goal:
            row.held[key] = found.median >= goal
    return row
