"""Hints to Celery: "hurry, there is work of this kind". Rows are the queue, a lost hint costs a few seconds.

A hint leaves after the commit, from one daemon thread a process, at most about ten times a second for each kind and
key. A broker that is down is counted and otherwise ignored: the sweepers find the rows.
"""

import logging
import os
import threading

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

Hint = tuple[str, tuple[str | int, ...]]


class Hints:
    """The waiting hints of this process and the thread that sends them."""

    def __init__(self) -> None:
        self._waiting: set[Hint] = set()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._pid = 0
        self.refused = 0

    def add(self, hint: Hint) -> None:
        with self._lock:
            self._waiting.add(hint)
            if self._pid != os.getpid():  # threads do not survive a fork
                self._pid = os.getpid()
                self._wake = threading.Event()
                threading.Thread(target=self._run, name="hints", daemon=True).start()
        self._wake.set()

    def take(self) -> set[Hint]:
        with self._lock:
            waiting, self._waiting = self._waiting, set()
            self._wake.clear()
        return waiting

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._wake.wait()
            for task, key in self.take():
                self._send(task, key)
            pause.wait(settings.HINT_INTERVAL_SECONDS)

    def _send(self, task: str, key: tuple[str | int, ...]) -> None:
        try:
            current_app.send_task(task, args=key, expires=settings.HINT_EXPIRES_SECONDS, ignore_result=True)
        except Exception as error:  # noqa: BLE001 whatever a broker raises; the row is there and will be found
            self.refused += 1
            log.warning("queue.hint_refused", extra={"task": task, "error": type(error).__name__})


hints = Hints()


def kick(task: str, *key: str | int) -> None:
    """After the commit, hint to Celery that `task` has work; `key` is a primary key at most, never data."""
    transaction.on_commit(lambda: hints.add((task, key)))
