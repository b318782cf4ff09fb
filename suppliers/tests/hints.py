"""Read which hints left for the broker's two queues, with their keys."""

import queue
import time
import uuid

from celery import current_app
from kombu.simple import SimpleQueue

from hemi.lib.queue import hints


def sent() -> set[tuple]:
    """Return the tasks with their keys that were hinted at since the last look."""
    marker = (f"test.marker_{uuid.uuid4().hex}",)
    hints.add((marker[0], ()))
    found: set[tuple] = set()
    deadline = time.monotonic() + 10
    with (
        current_app.connection_for_read() as connection,
        connection.SimpleQueue("work", no_ack=True) as work,
        connection.SimpleQueue("delivery", no_ack=True) as delivery,
    ):
        while marker not in found:  # hints that wait together leave in any order
            assert time.monotonic() < deadline, "the hints were not sent within 10 s"
            found |= _read(work) | _read(delivery)
        found |= _read(work) | _read(delivery)
    return {hint for hint in found if not hint[0].startswith("test.marker_")}


def _read(waiting: SimpleQueue) -> set[tuple]:
    found = set()
    while True:
        try:
            message = waiting.get(timeout=0.1)
        except queue.Empty:
            return found
        found.add((message.headers["task"], *message.payload[0]))
