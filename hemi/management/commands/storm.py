"""Kill web and worker processes at random while orders come in; then prove by id that none was lost or doubled."""

import logging
import os
import random
import secrets
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from hemi.drill import grounds, matrix, proof, rows, storm
from hemi.drill.crew import Crew
from hemi.drill.shop import Shop
from hemi.drill.stage import Stage
from hemi.drill.storm import Storm
from hemi.drill.yards import Yard
from hemi.lib.processes import Program
from hemi.management.commands import serve
from sandbox.sockets import HOST

WEB, WORK, DELIVERY = 4, 2, 2  # processes of each kind
YARD = "yard"
SETTLING_SECONDS = 900  # for what waits when the storm is over, the leases of the killed among it


class Command(BaseCommand):
    help = "Kill and start four web and four worker processes at random under load; prove that no order is lost."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or secrets.randbelow(10_000)))
        parser.add_argument("--seconds", type=float, default=float(os.environ.get("SECONDS") or 300))
        parser.add_argument("--rate", type=float, default=20, help="orders a second")

    def handle(self, *, seed: int, seconds: float, rate: float, **options: object) -> None:
        logging.getLogger().setLevel(logging.WARNING)
        folder = settings.VAR_DIR
        grounds.clear(folder)
        self.stdout.write(f"make storm SEED={seed}   (logs and report in {folder})")
        web, yard = [grounds.free_port() for _ in range(WEB)], grounds.free_port()
        programs = _programs(folder, web, yard)
        crew = Crew(programs)
        crew.start()
        try:
            path = rows.make_store()
            grounds.wait_until_up(web, [yard])
            servers = Yard(f"http://{HOST}:{yard}")
            shop = Shop([f"http://{HOST}:{port}{path}" for port in web])
            stage = Stage(crew, servers, servers, shop, self.stdout.write)
            victims = [program.name for program in programs if program.name != YARD]
            is_held = self._play(stage, Storm(crew, victims, rate, seconds, random.Random(seed)), folder)  # noqa: S311
        finally:
            crew.stop()
        if not is_held:
            sys.exit(1)

    def _play(self, stage: Stage, blast: Storm, folder: Path) -> bool:
        cases, began = storm.prepare(stage), time.monotonic()
        blast.blow(stage, cases)
        taken = time.monotonic() - began
        self.stdout.write(f"{taken:4.0f} s: the last order is taken, and nobody is killed any more")
        stage.wait_until_settled(cases, SETTLING_SECONDS)
        settled = time.monotonic() - began
        ledger = proof.read_ledger(folder / YARD / "arrivals.jsonl")
        for case in cases:
            proof.prove(case, ledger)
        found = [matrix.row(case) for case in cases]
        lost = proof.lost_orders(stage.shop.accepted)
        totals = matrix.totals(found, lost, len(stage.shop.accepted)) | {"kills": blast.kills}
        matrix.write(folder / "report.json", found, taken=round(taken, 1), settled=round(settled, 1), totals=totals)
        for line in [matrix.head(), *found, *lost]:
            self.stdout.write(str(line))
        self.stdout.write(
            f"\n{totals['orders']} orders accepted ({stage.shop.repeats} posts repeated), {blast.kills.total()} kills, "
            f"{totals['attempts']} attempts, all sent {settled - taken:.0f} s after the last one"
        )
        is_held = not (totals["failed"] or lost)
        self.stdout.write("Nothing was lost, doubled or half-written." if is_held else "FAILED.")
        return is_held


def _programs(folder: Path, web: list[int], yard: int) -> list[Program]:
    one = {program.name: program for program in serve.programs(HOST, web[0])}
    found = [grounds.yard(YARD, yard, folder), one["beat"]]
    found += [
        grounds.copy(one["web"], f"web-{number}", HEMI_PORT=str(port), WEB_CONCURRENCY="1")
        for number, port in enumerate(web, 1)
    ]
    found += [grounds.copy(one["work"], f"work-{number}") for number in range(1, WORK + 1)]
    found += [grounds.copy(one["delivery"], f"delivery-{number}") for number in range(1, DELIVERY + 1)]
    return grounds.placed(found, folder)
