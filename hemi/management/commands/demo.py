"""Play the main job from end to end, on data of its own in var/demo."""

import os
import sys
import threading
import time
from pathlib import Path

import requests
from django.core.management.base import BaseCommand, CommandError

from hemi import demo
from hemi.lib import ports
from hemi.lib.processes import Supervisor
from sandbox.story import Report, Stage, play
from sandbox.story.stage import Login

START_SECONDS = 90
SCHEMA = demo.BASE_DIR / "suppliers" / "schemas" / "hemi-order-1.0.xsd"


class Command(BaseCommand):
    help = "Start a sandbox and a Hemi of its own, play the story, print each step. ONCE=1 ends after the story."
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        plan = demo.Demo.from_environment()
        self._refuse_taken_ports(plan)
        plan.clear()
        supervisor = Supervisor(plan.programs())
        supervisor.stop_on_signals()
        teller = threading.Thread(target=self._tell, args=(plan, supervisor), name="story")
        self.stdout.write(f"Starting a sandbox and Hemi; their logs are in {plan.folder}")
        self.report = Report()
        teller.start()
        # The processes end with the thread that started them, so that is the main one.
        supervisor.run()
        teller.join()
        if not self.report.ok:
            sys.exit(1)

    def _tell(self, plan: demo.Demo, supervisor: Supervisor) -> None:
        try:
            stage = Stage(plan.url, Login(plan.user, plan.password), _wait(plan, supervisor), SCHEMA, _folder(plan))
            self.report = play(stage, lambda step: self.stdout.write(str(step)))
            self.report.write(plan.folder / "report.json")
            self._sum_up(plan)
        except CommandError as error:
            self.stderr.write(str(error))
        finally:
            if os.environ.get("ONCE") or not self.report.ok:
                supervisor.stop()

    def _sum_up(self, plan: demo.Demo) -> None:
        report, where = self.report, plan.folder / "report.json"
        held = sum(step.ok for step in report.steps)
        self.stdout.write(f"\n{held} of {len(report.steps)} steps held, {len(report.delivered)} files. Report: {where}")
        if report.ok and not os.environ.get("ONCE"):
            self.stdout.write(
                f"\nLook around: {plan.url}/admin/   user {plan.user}, password {plan.password}\n"
                f"The world outside: http://{demo.HOST}:{plan.sandbox_port}/   (Ctrl-C ends everything)"
            )

    def _refuse_taken_ports(self, plan: demo.Demo) -> None:
        wanted = {"Hemi": plan.port, **plan.sandbox_ports}
        for name, port in wanted.items():
            if ports.is_taken(demo.HOST, port):
                variable = "HEMI_PORT" if name == "Hemi" else "HEMI_SANDBOX_PORT"
                raise CommandError(
                    f"Port {port}, needed for {name}, is taken by another program (another demo perhaps). "
                    f"End it, or choose other ports with {variable}."
                )


def _folder(plan: demo.Demo) -> Path:
    folder = plan.folder / "sandbox"
    return folder.relative_to(demo.BASE_DIR) if folder.is_relative_to(demo.BASE_DIR) else folder


def _wait(plan: demo.Demo, supervisor: Supervisor) -> dict:
    """Wait until both are up; return what the sandbox says of itself."""
    deadline = time.monotonic() + START_SECONDS
    control = f"http://{demo.HOST}:{plan.sandbox_port}/world.json"
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline and not supervisor.is_stopping:
            try:
                session.get(f"{plan.url}/readyz", timeout=5).raise_for_status()
                return session.get(control, timeout=5).json()
            except requests.RequestException:
                time.sleep(0.2)
    logs = "".join(f"\n--- {path}\n{path.read_text()[-2000:]}" for path in sorted(plan.folder.glob("*.log")))
    raise CommandError(f"Hemi and the sandbox did not start within {START_SECONDS} seconds.{logs}")
