"""Run a few programs side by side: start again what dies, end all together."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STEADY_SECONDS = 60  # a program that ran this long starts with the first pause again
GRACE_SECONDS = 25  # a worker may finish the file it is sending
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """What to run and where; `env` and `log`, a file for its output, are ours where none are given."""

    name: str
    argv: Sequence[str]
    folder: Path | None = None
    env: dict[str, str] | None = None
    log: Path | None = None


class Supervisor:
    """Keep `programs` running until stop() is called."""

    def __init__(self, programs: Sequence[Program], *, first_pause: float = FIRST_PAUSE, grace: float = GRACE_SECONDS):
        self.children = [Child(program, first_pause) for program in programs]
        self.grace = grace
        self._stop = threading.Event()

    def run(self) -> None:
        """Start all programs and return when all have ended after stop()."""
        try:
            while not self._stop.is_set():
                for child in self.children:
                    child.look_after()
                self._stop.wait(0.1)
        finally:
            self._end()

    def stop(self) -> None:
        """Ask run() to end; safe in a signal handler and from another thread."""
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        """Whether stop() was called."""
        return self._stop.is_set()

    def stop_on_signals(self) -> None:
        """Let SIGTERM, SIGINT and SIGHUP end run(); for the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stop())

    def _end(self) -> None:
        deadline = time.monotonic() + self.grace
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(deadline - time.monotonic())
            child.kill_group()


class Child:
    """One program, its process and the pause before its next start."""

    def __init__(self, program: Program, first_pause: float) -> None:
        self.program = program
        self.process: subprocess.Popen | None = None
        self.starts = 0
        self._first_pause = self._pause = first_pause
        self._started_at = self._next_at = 0.0

    @property
    def pid(self) -> int | None:
        """The id of the running process, None while there is none."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def look_after(self) -> None:
        """Start the program if its time has come; note that it has died."""
        if self.process is None:
            if time.monotonic() >= self._next_at:
                self._start()
        elif self.process.poll() is not None:
            self._bury()

    def terminate(self) -> None:
        """Ask the process to end; it tells its own children, in its own time."""
        if self.process:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait at most `seconds` for the end of the process."""
        if self.process:
            try:
                self.process.wait(max(0, seconds))
            except subprocess.TimeoutExpired:
                log.warning("process.slow_to_end", extra={"program": self.program.name})

    def kill_group(self) -> None:
        """Kill the process, and what it started and left behind."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _start(self) -> None:
        with open(self.program.log, "ab") if self.program.log else nullcontext() as output:
            # A group of its own: Ctrl-C in a terminal reaches only us, and we end the others in order.
            self.process = subprocess.Popen(  # noqa: S603
                self.program.argv,
                cwd=self.program.folder,
                env=self.program.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                process_group=0,
                preexec_fn=_die_with_parent if _LIBC else None,
            )
        self.starts += 1
        self._started_at = time.monotonic()

    def _bury(self) -> None:
        assert self.process
        now = time.monotonic()
        self.kill_group()
        self._pause = self._first_pause if now - self._started_at > STEADY_SECONDS else self._pause
        log.error(
            "process.died",
            extra={"program": self.program.name, "code": self.process.returncode, "again_in_seconds": self._pause},
        )
        self.process, self._next_at = None, now + self._pause
        self._pause = min(LONGEST_PAUSE, self._pause * 2)


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    # Killed ourselves, we can end nobody: Linux then ends the programs, so that none keeps a port or a database.
    if _LIBC:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
