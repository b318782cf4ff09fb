"""Webhooks accepted per second: Hemi's endpoint, a bare Django view, and doing everything inside the request.

The last is Flask and SQLite, once as the manuals do it (a connection for each request, two sync workers) and once tuned
(kept connections that write ahead, Hemi's own two workers of eight threads); it has no other database, so both columns
show the same runs.

All stand side by side on this machine, each idle while another is measured, turn by turn in several rounds. A ratio is
taken within a round, then the median over the rounds: what else the machine does hits both of its sides.
"""

import itertools
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import bodies, load
from bench.bodies import Webhook
from bench.load import Result, Target
from bench.numbers import spread
from bench.processes import Broken, Processes, clean_env, free_port
from bench.report import Report, Row
from bench.stacks import Stack, gunicorn
from sandbox.ftp import FtpSandbox
from sandbox.relay import FtpDelayRelay

ROUNDS = 5
SECONDS = 2.0
ONE_WAY_SECONDS = 0.015  # a supplier 30 ms away
# gunicorn's own default is the sync worker: two of them are two requests at a time.
TWO_SYNC = ("--worker-class", "sync", "--threads", "1")
PEERS = {
    "near": "all in the request, as the manuals do it",
    "near, tuned": "all in the request, tuned",
    "far": "all in the request, 30 ms away, as the manuals do it",
    "far, tuned": "all in the request, 30 ms away, tuned",
}
BARE_GOAL = 0.8
PEER_GOALS = {"near": 4.0, "far": 50.0}


@dataclass
class Contest:
    """Who is measured, under the name of each, and what came out in each round."""

    targets: dict[str, Target] = field(default_factory=dict)
    rounds: list[dict[str, Result]] = field(default_factory=list)
    request: Webhook = field(default_factory=lambda: bodies.order(1))
    clients: tuple[int, int] = load.CLIENTS

    def run(self, count: int, seconds: float) -> None:
        """Measure everybody in each round, each round beginning with another one."""
        for number in range(count):
            names = list(self.targets)
            turn = number % len(names)
            self.rounds.append({name: self._measure(name, seconds) for name in names[turn:] + names[:turn]})

    def _measure(self, name: str, seconds: float) -> Result:
        try:
            return load.run(self.targets[name], self.request, seconds, self.clients)
        except Broken as error:
            raise Broken(f"{name}: {error}") from error

    def of(self, name: str) -> list[Result]:
        """Return the results of one, round by round."""
        return [results[name] for results in self.rounds]

    def ratios(self, name: str, peer: str) -> list[float]:
        """Return how many times the peer's rate this one has, round by round."""
        return [results[name].rate / results[peer].rate for results in self.rounds if results[peer].rate]


def measure(stacks: Sequence[Stack], folder: Path, report: Report) -> None:
    """Start everybody, run the contest and write what came out into the report."""
    contest = Contest()
    with Processes(folder) as processes, ExitStack() as world:
        for stack in stacks:
            _start_hemi(stack, processes, contest)
            _start_bare(stack, processes, contest)
        _start_peers(folder, world, processes, contest)
        contest.run(ROUNDS, SECONDS)
        for stack in stacks:
            _check_stored(stack, contest)
    _write(stacks, contest, report)


def _start_hemi(stack: Stack, processes: Processes, contest: Contest) -> None:
    port = free_port()
    made = stack.ask("webhooks", "bench.rows", {"do": "make", "suppliers": []})
    env = stack.env("webhooks", HEMI_PORT=str(port))
    processes.start(f"{stack.key}-hemi", gunicorn("hemi.wsgi"), env, port=port)
    contest.targets[f"{stack.key} hemi"] = Target(port, made["path"])


def _start_bare(stack: Stack, processes: Processes, contest: Contest) -> None:
    port = free_port()
    stack.ask("bare", "bench.bare.tables", {}, settings="bench.bare.settings")
    env = stack.env("bare", HEMI_PORT=str(port))
    processes.start(f"{stack.key}-bare", gunicorn("bench.bare.wsgi"), env, port=port)
    contest.targets[f"{stack.key} bare"] = Target(port, "/webhooks/")


def _start_peers(folder: Path, world: ExitStack, processes: Processes, contest: Contest) -> None:
    near = world.enter_context(FtpSandbox(folder / "ftp", "bench", "bench-password"))
    far = world.enter_context(FtpDelayRelay(near.host, near.port, ONE_WAY_SECONDS))
    for number, (name, place) in enumerate(itertools.product(("", ", tuned"), ("near", "far"))):
        port = free_port()
        server = near if place == "near" else far
        env = clean_env(
            HEMI_PORT=str(port), BENCH_FTP_PORT=str(server.port), BENCH_DATABASE=os.fspath(folder / f"{number}.sqlite3")
        )
        options = () if name else TWO_SYNC
        if name:
            env["BENCH_TUNED"] = "1"
        processes.start(f"peer-{number}", gunicorn("bench.in_request:application", *options), env, port=port)
        contest.targets[f"{place}{name}"] = Target(port, "/webhooks/")


def _check_stored(stack: Stack, contest: Contest) -> None:
    results = contest.of(f"{stack.key} hemi")
    answered = sum(result.answered for result in results)
    unanswered = sum(result.unanswered for result in results)
    stored = stack.ask("webhooks", "bench.rows", {"do": "count"})["stored"]
    if not answered <= stored <= answered + unanswered:
        raise Broken(f"{answered} webhooks were answered with 200 on {stack.title}, but {stored} are stored.")


def _write(stacks: Sequence[Stack], contest: Contest, report: Report) -> None:
    report.part("Webhooks accepted per second (10 kB, 8 kept and 8 fresh connections; answered = stored)")
    report.add(rates("Hemi", {stack.key: f"{stack.key} hemi" for stack in stacks}, contest))
    report.add(rates("bare Django view, one INSERT", {stack.key: f"{stack.key} bare" for stack in stacks}, contest))
    for name, title in PEERS.items():
        report.add(rates(title, {stack.key: name for stack in stacks}, contest))
    pairs = {stack.key: contest.ratios(f"{stack.key} hemi", f"{stack.key} bare") for stack in stacks}
    report.add(ratio("Hemi : bare view", pairs, BARE_GOAL))
    for name, title in PEERS.items():
        pairs = {stack.key: contest.ratios(f"{stack.key} hemi", name) for stack in stacks}
        report.add(ratio(f"Hemi : {title}", pairs, PEER_GOALS.get(name)))


def rates(title: str, names: dict[str, str], contest: Contest) -> Row:
    """Return the row with what each stack's peer of this name did in a second."""
    row = Row(title)
    for key, name in names.items():
        results = contest.of(name)
        rate, p99 = spread([result.rate for result in results]), spread([result.p99 for result in results])
        failed = sum(result.refused + result.unanswered for result in results)
        row.cells[key] = f"{rate.median:,.0f}/s  p99 {p99.median * 1000:,.0f} ms{f'  {failed} failed' * bool(failed)}"
        row.values[key] = {
            "rates": [round(result.rate, 1) for result in results],
            "p50_seconds": [round(result.p50, 5) for result in results],
            "p99_seconds": [round(result.p99, 5) for result in results],
            "refused": [result.refused for result in results],
            "unanswered": [result.unanswered for result in results],
        }
    return row


def ratio(title: str, ratios: dict[str, list[float]], goal: float | None) -> Row:
    """Return the row with the median of each stack's ratios, and whether it held the goal."""
    row = Row(title, goal=f"≥ {goal:g}" if goal else "")
    for key, values in ratios.items():
        found = spread(values)
        row.cells[key] = f"{found.median:.2f}  ({found.lowest:.2f}–{found.highest:.2f})"
        row.values[key] = [round(value, 3) for value in values]
        if goal:
            row.held[key] = found.median >= goal
    return row
