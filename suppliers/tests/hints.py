"""Read which hints left for the broker's two queues, with their keys."""

import time
import uuid

from celery import current_app
from kombu import Connection, Queue

from hemi.lib.queue import hints


def sent() -> set[tuple]:
    """Return the tasks with their keys that were hinted at since the last look."""
    marker = (f"test.marker_{uuid.uuid4().hex}",)
    hints.add((marker[0], ()))
    found: set[tuple] = set()
    deadline = time.monotonic() + 10
    with current_app.connection_for_read() as connection:
        while marker not in found:
            assert time.monotonic() < deadline, "the hints were not sent within 10 s"
            found |= _read(connection)
            time.sleep(0.02)
        time.sleep(0.1)  # hints that wait together leave in any order
        found |= _read(connection)
    return {hint for hint in found if not hint[0].startswith("test.marker_")}


def _read(connection: Connection) -> set[tuple]:
    # Got one by one, never consumed: a consumer on Redis that is closed takes one more message with it.
    found = set()
    for name in ("work", "delivery"):
        waiting = Queue(name)(connection.default_channel)
        while message := waiting.get(no_ack=True):
            found.add((message.headers["task"], *message.payload[0]))
    return found
