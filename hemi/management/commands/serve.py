"""Run the back office: web, two workers and beat, as child processes."""

import os
import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from hemi import first_user
from hemi.lib import ports
from hemi.lib.processes import Program, Supervisor

_QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]


class Command(BaseCommand):
    help = "Prepare database, static files and first user, then run web, workers and beat until told to end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HEMI_HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("HEMI_PORT", "8000")))

    def handle(self, *, host: str, port: int, **options: object) -> None:
        if ports.is_taken(host, port):
            raise CommandError(
                f"Port {port} is taken by another program (another Hemi perhaps). "
                f"End it, or choose another port: HEMI_PORT={port + 1} make run"
            )
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        first_user.make_if_none()
        supervisor = Supervisor(programs(host, port))
        supervisor.stop_on_signals()
        self.stdout.write(f"Hemi runs at http://{host}:{port}/admin/ (Ctrl-C ends it)")
        supervisor.run()


def programs(host: str, port: int) -> list[Program]:
    """Return the processes of one machine that does everything."""
    web = ["gunicorn", "-c", str(settings.BASE_DIR / "deploy" / "gunicorn.conf.py"), "hemi.wsgi"]
    work = ["celery", "-A", "hemi", "worker", "-n", "work@%h", "-Q", "work", "--concurrency", "2", *_QUIET]
    # Threads, for this queue only waits for suppliers' servers: one that hangs holds up one thread.
    delivery = ["celery", "-A", "hemi", "worker", "-n", "delivery@%h", "-Q", "delivery"]
    delivery += ["--pool", "threads", "--concurrency", "16", *_QUIET]
    beat = ["celery", "-A", "hemi", "beat", "--pidfile=", "--loglevel", "WARNING"]
    beat += ["--schedule", str(settings.VAR_DIR / "beat-schedule")]
    address = {"HEMI_HOST": host, "HEMI_PORT": str(port)}
    return [
        _program("web", web, address),
        _program("work", work),
        _program("delivery", delivery),
        _program("beat", beat),
    ]


def _program(name: str, argv: list[str], env: dict[str, str] | None = None) -> Program:
    return Program(name, [sys.executable, "-m", *argv], settings.BASE_DIR, {**os.environ, **(env or {})})
