"""The programs that a measurement starts: each is waited for, and ended by its own process id."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 30


class Broken(RuntimeError):
    """Say why a measurement could not be made, and where to look."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class Processes:
    """Start programs; leaving the block ends all of them, the last one first."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._running: list[tuple[subprocess.Popen, signal.Signals]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        while self._running:
            _end(*self._running.pop())

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: dict[str, str],
        *,
        port: int = 0,
        user: str | None = None,
        end: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Start a program, its output in a file; with `port`, return once it listens there."""
        path = self.logs / f"{name}.log"
        with path.open("ab") as log:
            process = subprocess.Popen(
                argv, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=user
            )
        self._running.append((process, end))
        if port:
            _wait_for(port, process, path)

    def stop_last(self) -> None:
        """End the program that was started last."""
        _end(*self._running.pop())


def clean_env(**values: str) -> dict[str, str]:
    """Return an environment without anything that would configure Hemi by accident."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "HEMI_ENV_FILE": os.devnull, **values}


def _wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2000:]
    raise Broken(f"{log.stem} does not listen on port {port}. It said last:\n{said}")


def _end(process: subprocess.Popen, number: signal.Signals) -> None:
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
