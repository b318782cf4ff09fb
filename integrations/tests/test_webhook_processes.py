"""Two web processes are given the same webhooks at once, each in another order."""

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
from django.db import IntegrityError, connection, connections, transaction

from hemi.lib import insertion
from hemi.lib.together import Piece
from integrations.models import WebhookEvent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only: SQLite has one writer at a time"),
]
IDS = ["1", "2", "3", "4", "5"]
SECONDS = 20.0


def wait_until_two_wait():
    """Wait until two connections wait for what another one holds."""
    pause = threading.Event()
    for _ in range(2000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() == (2,):
                return
        pause.wait(0.01)
    raise AssertionError("the two did not come to wait")


def test_none_is_refused_but_as_a_repeat(account):
    def process(ids):
        table = insertion._table.__wrapped__(WebhookEvent)  # each process has its own
        pieces = [Piece(row(table, number), monotonic() + SECONDS) for number in ids]
        try:
            table._insert_batch(lambda: pieces, SECONDS)
            return [piece.outcome for piece in pieces]
        finally:
            connections.close_all()

    def row(table, number):
        values = {"account_id": account.pk, "webhook_id": number, "topic": "orders/create", "body": b"{}"}
        given = [(field, values.get(name, field.get_default())) for name, field in table.fields.items()]
        return [field.get_db_prep_save(value, connection) for field, value in given]

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            WebhookEvent.objects.create(account=account, webhook_id="3", topic="orders/create", body=b"{}")
            answers = [pool.submit(process, ids) for ids in (IDS, IDS[::-1])]
            wait_until_two_wait()
            transaction.set_rollback(True)
        outcomes = [outcome for answer in answers for outcome in answer.result(SECONDS)]
    assert all(isinstance(outcome, int | IntegrityError) for outcome in outcomes), outcomes
    stored = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert sorted(stored) == sorted(WebhookEvent.objects.values_list("pk", flat=True)) and len(stored) == len(IDS)
