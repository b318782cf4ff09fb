"""Read which hints left for the broker, whichever it is."""

import queue
import time
import uuid
from collections import Counter

from celery import current_app

from hemi.lib.queue import hints


def sent():
    """Return the names of the tasks that were hinted at since the last look."""
    return set(count())


def count():
    """Return how often each task was hinted at since the last look."""
    marker = f"test.marker_{uuid.uuid4().hex}"
    hints.add((marker, ()))
    names, deadline = Counter(), time.monotonic() + 10
    with current_app.connection_for_read() as connection, connection.SimpleQueue("work", no_ack=True) as waiting:
        while time.monotonic() < deadline:
            try:
                names[waiting.get(timeout=0.1).headers["task"]] += 1
            except queue.Empty:
                if marker in names:  # hints that wait together leave in any order
                    break
    assert marker in names, "the hints were not sent within 10 s"
    return Counter({name: number for name, number in names.items() if not name.startswith("test.marker_")})
