"""Hints: after the commit, few, and never in the way."""

import time

import pytest
from celery import current_app
from django.db import transaction

from hemi.lib import queue
from integrations.tests import hints

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_waits():
    hints.sent()


def test_leaves_after_the_commit():
    with transaction.atomic():
        queue.kick("test.work", 7)
        assert "test.work" not in hints.sent()
    assert "test.work" in hints.sent()


def test_does_not_leave_after_a_rollback():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue.kick("test.work")
        raise ZeroDivisionError
    assert "test.work" not in hints.sent()


def test_a_thousand_kicks_are_a_few_messages():
    waiting = queue.Hints()
    started = time.monotonic()
    for _ in range(1000):
        waiting.add(("test.many", ()))
    while waiting._waiting:
        assert time.monotonic() - started < 10
        time.sleep(0.01)
    assert 1 <= hints.count()["test.many"] <= 5
    assert waiting.refused == 0


def test_kinds_and_keys_are_hinted_at_each():
    queue.kick("test.one", 1)
    queue.kick("test.one", 2)
    queue.kick("test.two")
    assert hints.sent() == {"test.one", "test.two"}


def test_broker_that_is_away_costs_the_caller_nothing_and_is_counted(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no broker")

    waiting = queue.Hints()
    monkeypatch.setattr(current_app, "send_task", refuse)  # a broker that refuses; the row is what counts
    started = time.monotonic()
    waiting.add(("test.lost", ()))
    assert time.monotonic() - started < 0.1
    deadline = time.monotonic() + 5
    while not waiting.refused and time.monotonic() < deadline:
        time.sleep(0.01)
    assert waiting.refused == 1


def test_about_ten_a_second():
    waiting, stop_at = queue.Hints(), time.monotonic() + 1
    while time.monotonic() < stop_at:
        waiting.add(("test.fast", ()))
        time.sleep(0.001)
    assert 5 <= hints.count()["test.fast"] <= 12
