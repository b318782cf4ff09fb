"""Webhooks that come while another is being stored go in together, and each still gets the answer that is its own."""

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, connections
from django.test import Client as Browser

from hemi.lib import insertion
from integrations.models import WebhookEvent
from integrations.tests.webhooks import post

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only: there a test can hold up all who insert"),
]
SECONDS = 30


@contextmanager
def held_up():
    """Play another process whose turn it is."""
    with open(settings.VAR_DIR / "insert.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def at_once(call, arguments):
    """Call in a thread for each argument, all held up until all have come; return results or errors."""

    def run(argument):
        try:
            return call(argument)
        except IntegrityError as error:
            return error
        finally:
            connections.close_all()

    together = insertion._table(WebhookEvent).together
    with ThreadPoolExecutor(len(arguments)) as pool:
        with held_up():
            futures = [pool.submit(run, argument) for argument in arguments]
            pause = threading.Event()
            for _ in range(1000):
                if len(together._gathered) == len(arguments):
                    break
                pause.wait(0.01)
        return [future.result(SECONDS) for future in futures]


def test_repeats_among_new_ones(account):
    ids = ["1", "2", "2", "3", "2", "4"]
    answers = at_once(lambda number: post(Browser(), account, Webhook_Id=number).status_code, ids)
    assert answers == [200] * 6
    assert sorted(WebhookEvent.objects.values_list("webhook_id", flat=True)) == ["1", "2", "3", "4"]


def test_all_new_get_the_keys_that_are_theirs(account):
    def insert(number):
        values = {"account_id": account.pk, "webhook_id": number, "topic": "orders/create", "body": b"{}"}
        return insertion.insert(WebhookEvent, values, SECONDS)

    ids = [str(number) for number in range(8)]
    keys = at_once(insert, ids)
    assert dict(WebhookEvent.objects.values_list("webhook_id", "pk")) == dict(zip(ids, keys, strict=True))


def test_one_of_an_account_that_went_away_spoils_no_other(account):
    def insert(account_id):
        values = {"account_id": account_id, "webhook_id": str(account_id), "topic": "orders/create", "body": b"{}"}
        return insertion.insert(WebhookEvent, values, SECONDS)

    stored, refused = at_once(insert, [account.pk, account.pk + 1000])
    assert WebhookEvent.objects.get().pk == stored
    assert isinstance(refused, IntegrityError)


def test_what_comes_next_on_the_connection_waits_as_long_as_ever(account, settings):
    settings.WEBHOOK_LOCK_SECONDS = 1
    assert post(Browser(), account).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (settings.SQLITE_TIMEOUT_SECONDS * 1000,)
