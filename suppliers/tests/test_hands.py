"""What is due is dealt out in fair hands, claimed once, and its documents are read while the claim stands."""

from itertools import count

import pytest
from django.db import connection
from django.utils import timezone

from hemi.lib import binary
from suppliers import hands, lanes, loading, outbox
from suppliers.hands import Deck
from suppliers.models import Delivery, DeliveryDocument
from suppliers.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lane(supplier):
    with lanes.enter(supplier.endpoint_id) as lane:
        yield lane


def test_the_last_of_what_is_due_is_dealt_in_equal_shares_and_not_in_crumbs(supplier, lane):
    rows = [factories.delivery(supplier).pk for _ in range(100)]
    deck = Deck(lane)
    deck.sessions = 2
    dealt = [deck.deal(10), deck.deal(300), deck.deal(300), deck.deal(300)]
    assert [len(hand) for hand in dealt] == [10, 45, 40, 5]
    assert [pk for hand in dealt for pk, _ in hand] == rows
    assert not deck.has_more


def test_a_hand_is_asked_again_what_may_go_and_a_second_claim_of_it_has_nothing(supplier, lane):
    rows = [factories.delivery(supplier) for _ in range(4)]
    hand = Deck(lane).deal(10)
    Delivery.objects.filter(pk=rows[0].pk).update(is_held=True)
    Delivery.objects.filter(pk=rows[1].pk).update(claim_token="another", lease_until=timezone.now() + lane.lease)
    Delivery.objects.filter(pk=rows[2].pk).update(temporary_name="left-by-a-former-run.part", step="uploading")
    claimed = hands.claim(lane, hand, begins=True)
    assert [(attempt.delivery.pk, attempt.owns_file) for attempt in claimed] == [
        (rows[2].pk, False),
        (rows[3].pk, True),
    ]
    assert hands.claim(lane, hand, begins=True) == []
    stored = {row.pk: (row.step, row.claim_token, row.attempts) for row in Delivery.objects.all()}
    token = claimed[0].delivery.claim_token
    assert stored == {
        rows[0].pk: ("", "", 0),
        rows[1].pk: ("", "another", 0),
        rows[2].pk: ("uploading", token, 1),
        rows[3].pk: ("uploading", token, 1),
    }


def test_a_document_whose_claim_was_lost_since_is_not_uploaded(server, supplier, monkeypatch):
    monkeypatch.setattr(loading, "PORTION_BYTES", 1)
    rows = [factories.delivery(supplier) for _ in range(3)]
    arrivals = count()

    def take_over(_path):
        if not next(arrivals):
            Delivery.objects.filter(pk=rows[1].pk).update(claim_token="another")
            connection.close()

    server.on_arrival = take_over
    outbox.deliver(supplier.endpoint_id)
    assert {path.name for path in server.orders_folder.iterdir()} == {rows[0].final_name, rows[2].final_name}
    assert sum(entry.command == "STOR" for entry in server.log) == 2
    row = Delivery.objects.get(pk=rows[1].pk)
    assert (row.claim_token, row.status, row.step) == ("another", "due", "uploading")


def test_bytes_of_every_kind_come_out_of_the_database_as_they_went_in(supplier):
    content = bytes(range(256)) * 1000
    row = factories.delivery(supplier)
    DeliveryDocument.objects.filter(delivery=row).update(content=content)
    rows = DeliveryDocument.objects.filter(pk__in=[row.pk]).values_list("pk", "content", "delivery__final_name")
    assert binary.rows(rows) == [(row.pk, content, row.final_name)]
