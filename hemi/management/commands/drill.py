"""Play faults against the running parts, on data of its own, and prove by id that no order was lost or doubled."""

import logging
import os
import random
import secrets
import shutil
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from hemi.drill import matrix, plan, proof, rounds, rows
from hemi.drill.crew import Crew
from hemi.drill.shop import SHOP, Shop
from hemi.drill.stage import Case, Stage
from hemi.drill.yards import Yard
from hemi.lib.processes import Program
from hemi.management.commands import serve
from integrations.models import AccountShopify
from sandbox.sockets import HOST, listen

START_SECONDS = 90
MARK = "drill.mark"
TURNS = 3
_LEFTOVERS = (
    "hemi.sqlite3*",
    "broker",
    "broker-gone",
    "yard",
    "fragile-yard",
    "report.json",
    "*.log",
    "beat-schedule*",
)


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
        self._clear(folder)
        chosen = plan.small() if small else plan.full(folder)
        chosen = plan.shuffled(plan.only(chosen, only), random.Random(seed))  # noqa: S311
        if not chosen:
            raise CommandError(f"No fault is called {only}.")
        self.stdout.write(f"make drill SEED={seed}{f' ONLY={only!r}' if only else ''}   (logs and report in {folder})")
        ports = [_free_port() for _ in range(3)]
        crew = Crew(_programs(folder, ports), off_duty=["delivery-2"])
        crew.start()
        try:
            path = rows.make_store()
            _wait_until_up(ports)
            yards = [Yard(f"http://{HOST}:{port}") for port in ports[1:]]
            stage = Stage(crew, yards[0], yards[1], Shop(f"http://{HOST}:{ports[0]}{path}"), self.stdout.write)
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

    def _clear(self, folder: Path) -> None:
        """Delete what an earlier drill left, and nothing that anybody else might have made."""
        if not (folder / MARK).exists() and any(folder.glob("hemi.sqlite3")):
            raise CommandError(f"{folder} is no drill's folder. Name another one: HEMI_VAR=var/drill")
        (folder / MARK).touch()
        for pattern in _LEFTOVERS:
            for path in folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name in ("messages", "control"):
            (folder / "broker" / name).mkdir(parents=True)
        call_command("migrate", interactive=False, verbosity=0)
        if AccountShopify.objects.exclude(shop_name=SHOP).exists():
            raise CommandError("The database has stores already. Give the drill an empty one: DATABASE_URL")
        if connection.vendor != "sqlite":
            call_command("flush", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)


def _prove(cases: Sequence[Case], folder: Path) -> None:
    ledger = proof.read_ledger(*(folder / name / "arrivals.jsonl" for name in plan.YARDS))
    for case in cases:
        proof.prove(case, ledger)


def _programs(folder: Path, ports: list[int]) -> list[Program]:
    hemi = serve.programs(HOST, ports[0])
    delivery = next(program for program in hemi if program.name == "delivery")
    argv = [argument.replace("delivery@", "delivery2@") for argument in delivery.argv]
    hemi.append(replace(delivery, name="delivery-2", argv=argv))
    servers = [
        Program(name, [sys.executable, "-m", "sandbox.yard", "--data", str(folder / name), "--port", str(port)])
        for name, port in zip(plan.YARDS, ports[1:], strict=True)
    ]
    return [
        replace(program, folder=settings.BASE_DIR, log=folder / f"{program.name}.log") for program in [*servers, *hemi]
    ]


def _free_port() -> int:
    with listen(0) as probe:
        return probe.getsockname()[1]


def _wait_until_up(ports: list[int]) -> None:
    deadline = time.monotonic() + START_SECONDS
    urls = [f"http://{HOST}:{ports[0]}/readyz", *(f"http://{HOST}:{port}/servers" for port in ports[1:])]
    with requests.Session() as session:
        session.trust_env = False
        while urls:
            try:
                session.get(urls[0], timeout=5).raise_for_status()
                urls.pop(0)
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise CommandError(f"{urls[0]} did not answer within {START_SECONDS} seconds.") from None
                time.sleep(0.2)
