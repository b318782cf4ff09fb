"""Play faults against the running parts, on data of its own, and prove by id that no order was lost or doubled."""

import logging
import os
import random
import secrets
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hemi.drill import grounds, matrix, plan, proof, rounds, rows
from hemi.drill.crew import Crew
from hemi.drill.shop import Shop
from hemi.drill.stage import Case, Stage
from hemi.drill.yards import Yard
from hemi.lib.processes import Program
from hemi.management.commands import serve
from sandbox.sockets import HOST

TURNS = 3


class Command(BaseCommand):
    help = (
        "Kill, cut, fill and lock everything in turn; then prove by id that nothing was lost, doubled or half-written."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or secrets.randbelow(10_000)))
        parser.add_argument(
            "--only", default=os.environ.get("ONLY", ""), help="a part of a fault's name, or of a round's"
        )
        parser.add_argument("--small", action="store_true", help="a dozen faults, in a minute")

    def handle(self, *, seed: int, only: str, small: bool, **options: object) -> None:
        logging.getLogger().setLevel(logging.WARNING)  # the matrix is what is told
        folder = settings.VAR_DIR
        grounds.clear(folder)
        chosen = plan.small() if small else plan.full(folder)
        chosen = plan.shuffled(plan.only(chosen, only), random.Random(seed))  # noqa: S311
        if not chosen:
            raise CommandError(f"No fault is called {only}.")
        self.stdout.write(f"make drill SEED={seed}{f' ONLY={only!r}' if only else ''}   (logs and report in {folder})")
        ports = [grounds.free_port() for _ in range(3)]
        crew = Crew(_programs(folder, ports), off_duty=["delivery-2"])
        crew.start()
        try:
            path = rows.make_store()
            grounds.wait_until_up(ports[:1], ports[1:])
            yards = [Yard(f"http://{HOST}:{port}") for port in ports[1:]]
            stage = Stage(crew, yards[0], yards[1], Shop([f"http://{HOST}:{ports[0]}{path}"]), self.stdout.write)
            is_held = self._play(stage, chosen, seed, folder)
        finally:
            crew.stop()
        if not is_held:
            sys.exit(1)

    def _play(self, stage: Stage, chosen: list[rounds.Round], seed: int, folder: Path) -> bool:
        started = time.monotonic()
        found: list[matrix.Row] = []
        self.stdout.write(f"\n{matrix.head()}")
        late = [(round_, rounds.play(stage, round_)) for round_ in chosen if round_.is_late]
        for round_ in chosen:
            if not round_.is_late:
                found += self._play_round(stage, round_, folder)
        for round_, cases in late:
            rounds.finish(stage, round_, cases)
            _prove(cases, folder)
            found += self._show(cases)
        lost = proof.lost_orders(stage.shop.accepted)
        totals = matrix.totals(found, lost, len(stage.shop.accepted))
        seconds = round(time.monotonic() - started, 1)
        matrix.write(folder / "report.json", found, seed=seed, seconds=seconds, totals=totals)
        self._sum_up(totals, seconds, stage.shop)
        return not totals["failed"] and not lost

    def _play_round(self, stage: Stage, round_: rounds.Round, folder: Path) -> list[matrix.Row]:
        """Play a round; on a slow machine a fault may be missed, which is then played again."""
        found: list[matrix.Row] = []
        for turns_left in reversed(range(TURNS)):
            cases = rounds.play(stage, round_)
            _prove(cases, folder)
            missed = [case for case in cases if turns_left and case.problems == [proof.NEVER_MET]]
            found += self._show([case for case in cases if case not in missed])
            if not missed:
                break
            self.stdout.write(f"{len(missed)} of them missed on this busy machine, once more:")
            round_ = replace(round_, points=[case.point for case in missed])
        return found

    def _show(self, cases: Sequence[Case]) -> list[matrix.Row]:
        found = [matrix.row(case) for case in cases]
        for row in found:
            self.stdout.write(str(row))
        return found

    def _sum_up(self, totals: dict, seconds: float, shop: Shop) -> None:
        self.stdout.write(
            f"\n{totals['fault_points']} fault points, {totals['orders']} orders accepted "
            f"({shop.repeats} posts repeated), {totals['attempts']} attempts, "
            f"{totals['settled_by_a_person']} settled by a person, {seconds} s"
        )
        for problem in totals["lost"]:
            self.stdout.write(problem)
        if totals["failed"] or totals["lost"]:
            self.stdout.write(f"FAILED at {totals['failed']} fault points.")
        else:
            self.stdout.write("Nothing was lost, doubled or half-written.")


def _prove(cases: Sequence[Case], folder: Path) -> None:
    ledger = proof.read_ledger(*(folder / name / "arrivals.jsonl" for name in plan.YARDS))
    for case in cases:
        proof.prove(case, ledger)


def _programs(folder: Path, ports: list[int]) -> list[Program]:
    hemi = serve.programs(HOST, ports[0])
    delivery = next(program for program in hemi if program.name == "delivery")
    yards = [grounds.yard(name, port, folder) for name, port in zip(plan.YARDS, ports[1:], strict=True)]
    return grounds.placed([*yards, *hemi, grounds.copy(delivery, "delivery-2")], folder)
