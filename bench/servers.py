"""A PostgreSQL and a Redis of the bench's own, on free ports, where their programs are installed."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from bench.processes import HOST, Processes, clean_env, free_port
from bench.stacks import INSTALLATIONS, Stack

OWNER = "postgres"  # PostgreSQL refuses to run as root
INIT_SECONDS = 60


def missing() -> str:
    """Say what is not installed; an empty text means that both are."""
    absent = [name for name, path in (("PostgreSQL", _initdb()), ("Redis", shutil.which("redis-server"))) if not path]
    return " and ".join(absent)


def start(processes: Processes, folder: Path) -> Stack:
    """Start both with their own defaults and return the stack on them."""
    database = _postgres(processes, folder / "postgres")
    broker = _redis(processes, folder / "redis")
    return Stack("servers", "PostgreSQL, Redis", folder, f"{database}/{{name}}", f"{broker}/{{number}}")


def _postgres(processes: Processes, folder: Path) -> str:
    programs, data, owner = Path(_initdb()).parent, folder / "data", _owner()
    folder.mkdir()
    if owner:
        shutil.chown(folder, owner)
    initdb = [f"{programs}/initdb", "-D", f"{data}", "-U", "hemi", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run(
        initdb, user=owner, cwd=folder, env=clean_env(), check=True, capture_output=True, timeout=INIT_SECONDS
    )
    port = free_port()
    argv = [f"{programs}/postgres", "-D", f"{data}", "-p", str(port), "-h", HOST, "-k", f"{folder}"]
    # SIGINT is its fast shutdown: SIGTERM would wait for every client to leave.
    processes.start("postgres", argv, clean_env(), port=port, user=owner, end=signal.SIGINT)
    with _connected(f"postgres://hemi@{HOST}:{port}/postgres") as connection:
        for name in INSTALLATIONS:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"postgres://hemi@{HOST}:{port}"


def _connected(address: str) -> psycopg.Connection:
    deadline = time.monotonic() + INIT_SECONDS
    while True:
        try:
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:  # it listens before it has started up
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _redis(processes: Processes, folder: Path) -> str:
    folder.mkdir()
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", HOST, "--dir", os.fspath(folder)]
    processes.start("redis", argv, clean_env(), port=port)
    return f"redis://{HOST}:{port}"


def _initdb() -> str:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return os.fspath(found[-1]) if found else shutil.which("initdb") or ""


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam(OWNER).pw_name
