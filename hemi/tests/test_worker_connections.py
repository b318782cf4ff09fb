"""A worker keeps its database connection from task to task, and makes a new one where the old one is broken."""

from queue import Queue

import pytest
from celery.contrib.testing.worker import start_worker
from django.db import connection, connections

from hemi.celery import app

QUEUE = "tests.worker_connections"
SECONDS = 30
answers: Queue = Queue()


@app.task(name="hemi.tests.look_at_connection")
def look_at_connection(breaks: bool = False, closes: bool = False) -> None:
    """Put this worker's connection into `answers`; break or close it afterwards."""
    connection.ensure_connection()
    answers.put(connection.connection)
    if breaks:
        connection.errors_occurred = True  # as Django notes after a failed query
        connection.connection.close()
        connection.is_usable = _is_broken
    if closes:
        connections.close_all()


def _is_broken() -> bool:
    del connection.is_usable
    return False


def _look(**options: bool) -> object:
    look_at_connection.apply_async(kwargs=options, queue=QUEUE)
    return answers.get(timeout=SECONDS)


@pytest.mark.django_db(transaction=True)
def test_connection_is_kept_until_it_breaks():
    with start_worker(app, pool="solo", perform_ping_check=False, queues=[QUEUE], shutdown_timeout=SECONDS):
        first = _look()
        assert _look(breaks=True) is first
        second = _look()
        assert second is not first
        assert _look(closes=True) is second
