"""Where a drill is played: its folder, its database and its processes, none of them anybody else's."""

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from hemi.drill.shop import SHOP
from hemi.lib.processes import Program
from integrations.models import AccountShopify
from sandbox.sockets import HOST, listen

START_SECONDS = 90
MARK = "drill.mark"
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


def clear(folder: Path) -> None:
    """Delete what an earlier drill left, and nothing that anybody else might have made. Raises CommandError."""
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


def yard(name: str, port: int, folder: Path) -> Program:
    """Return the program of a process full of suppliers' servers."""
    return Program(name, [sys.executable, "-m", "sandbox.yard", "--data", str(folder / name), "--port", str(port)])


def copy(program: Program, name: str, **env: str) -> Program:
    """Return one more of a program, which Celery is to know by a name of its own."""
    argv = [f"{name}@%h" if argument.endswith("@%h") else argument for argument in program.argv]
    return replace(program, name=name, argv=argv, env={**(program.env or {}), **env})


def placed(programs: Sequence[Program], folder: Path) -> list[Program]:
    """Return the programs with the folder that they run in and the files that they write their logs to."""
    return [replace(program, folder=settings.BASE_DIR, log=folder / f"{program.name}.log") for program in programs]


def free_port() -> int:
    """Return a port of loopback that nobody listens on just now."""
    with listen(0) as probe:
        return probe.getsockname()[1]


def wait_until_up(web: Sequence[int], yards: Sequence[int]) -> None:
    """Wait until all that answer HTTP do. Raises CommandError."""
    deadline = time.monotonic() + START_SECONDS
    urls = [f"http://{HOST}:{port}/readyz" for port in web] + [f"http://{HOST}:{port}/servers" for port in yards]
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
