"""Hemi's processes while they are killed, frozen and woken: whoever dies is started again."""

import os
import signal
import threading
from collections.abc import Sequence

from hemi.lib.processes import Child, Program

PAUSE_SECONDS = 0.3
STOP_SECONDS = 20


class Crew:
    """Keep programs running, from a thread of its own, for they end with the thread that started them."""

    def __init__(self, programs: Sequence[Program], off_duty: Sequence[str] = ()) -> None:
        self._programs = {program.name: program for program in programs}
        self._children = {program.name: Child(program, PAUSE_SECONDS) for program in programs}
        self._on_duty = set(self._programs) - set(off_duty)
        self._lock = threading.RLock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crew")

    def start(self) -> None:
        """Start everybody who is on duty."""
        self._thread.start()

    def stop(self) -> None:
        """End everybody."""
        self._is_over.set()
        self._thread.join()

    def kill(self, name: str, *, comes_back: bool = True) -> None:
        """End a program at once, as kill -9 and a power cut do; it is started again soon, or when it is summoned."""
        with self._lock:
            if not comes_back:
                self._on_duty.discard(name)
            self._children[name].kill_group()
            self._children[name] = Child(self._programs[name], PAUSE_SECONDS)

    def dismiss(self, name: str) -> None:
        """Ask a program to end, and do without it."""
        with self._lock:
            self._on_duty.discard(name)
            self._end([name])
            self._children[name] = Child(self._programs[name], PAUSE_SECONDS)

    def summon(self, name: str) -> None:
        """Have a program run from now on."""
        with self._lock:
            self._on_duty.add(name)

    def freeze(self, name: str) -> None:
        """Stop a program in the middle of whatever it does."""
        self._signal(name, signal.SIGSTOP)

    def wake(self, name: str) -> None:
        """Let a frozen program go on."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        with self._lock:
            pid = self._children[name].pid
            assert pid, f"{name} does not run"
            os.kill(pid, number)

    def _run(self) -> None:
        try:
            while not self._is_over.is_set():
                with self._lock:
                    for name in self._on_duty:
                        self._children[name].look_after()
                self._is_over.wait(0.05)
        finally:
            self._end(list(self._children))

    def _end(self, names: Sequence[str]) -> None:
        for name in names:
            self._children[name].terminate()
        for name in names:
            self._children[name].wait(STOP_SECONDS)
            self._children[name].kill_group()
