"""Orders are taken once, in whatever order, twice or at once their webhooks come."""

import itertools
import threading

import pytest
from django.db import connection

from integrations.shopify import payloads
from orders import intake
from orders.models import Order
from orders.tests import bodies

State = Order.State
EARLY, LATE = "2026-11-20T10:00:00+01:00", "2026-11-20T11:00:00+01:00"


def take(account, body):
    return intake.store(account, payloads.parse_order(bodies.encode(body)))


def test_an_order_is_stored_with_its_lines_and_asks_for_routing(account):
    order = take(account, bodies.order())
    order.refresh_from_db()
    assert (order.state, order.needs_routing, order.customer_name) == (State.READY, True, "Ola Łuk")
    assert [(line.sku, line.sendable) for line in order.lines.all()] == [("NW-1001", 2), ("SH-2001", 1)]
    assert [event.kind for event in order.events.all()] == ["received"]


def test_texts_that_are_too_long_are_cut(account):
    long = "x" * 6000
    person = {"first_name": long, "last_name": long, "email": long, "phone": long}
    line = {**bodies.line(1, 1, "V", "S", 2), **dict.fromkeys(("title", "sku", "vendor", "variant_title"), long)}
    names = ("name", "source_name", "email", "phone", "note", "financial_status", "fulfillment_status")
    texts = dict.fromkeys(names, long)
    body = bodies.order(customer=person, shipping_address=person, line_items=[line], **texts)
    order = take(account, body)
    order.refresh_from_db()
    assert order.customer_name.startswith("x" * 250 + " ") and order.lines.get().sku == "x" * 255


def test_the_same_order_again_changes_nothing(account):
    body = bodies.order()
    order = take(account, body)
    Order.objects.update(needs_routing=False)
    take(account, body)
    assert Order.objects.count() == 1
    assert order.events.count() == 1
    assert not Order.objects.get().needs_routing


@pytest.mark.parametrize("turn", list(itertools.permutations(["create", "update", "cancel"])))
def test_every_order_of_arrival_ends_in_the_newest_state(account, turn):
    base = bodies.order(financial_status="pending", updated_at=EARLY)
    versions = {
        "create": base,
        "update": {**base, "note": "ring twice", "financial_status": "paid", "updated_at": LATE},
        "cancel": {**base, "cancelled_at": "2026-11-20T10:30:00+01:00", "updated_at": "2026-11-20T10:30:00+01:00"},
    }
    for name in turn:
        take(account, versions[name])
    order = Order.objects.get()
    assert (order.state, order.note, order.paid_at is not None) == (State.CANCELLED, "ring twice", True)


def test_paid_is_a_latch_that_an_older_event_lets_fall(account):
    body = bodies.order(financial_status="pending", updated_at=LATE)
    assert take(account, body).state == State.UNPAID
    take(account, {**body, "financial_status": "paid", "updated_at": EARLY})
    order = Order.objects.get()
    assert (order.state, order.financial_status) == (State.READY, "pending")


@pytest.mark.parametrize("turn", [(0, 1), (1, 0)])
def test_a_tie_ends_alike_whoever_comes_first(account, turn):
    body = bodies.order()
    versions = [body, {**body, "note": "other"}]
    for index in turn:
        take(account, versions[index])
    hashes = [payloads.parse_order(bodies.encode(version)).content_hash for version in versions]
    assert Order.objects.get().content_hash == max(hashes)


def test_a_tie_is_read_again_where_the_store_can_be_asked(account):
    account.access_token = "token"
    account.save(update_fields=["access_token"])
    body = bodies.order()
    take(account, body)
    take(account, {**body, "note": "other"})
    assert Order.objects.get().needs_reread


def test_what_turns_null_is_kept(account):
    body = bodies.order(updated_at=EARLY)
    take(account, body)
    take(account, {**body, "shipping_address": None, "email": None, "customer": None, "updated_at": LATE})
    order = Order.objects.get()
    assert order.shipping_address["city"] == "Łódź"
    assert (order.email, order.customer_name) == ("ola@example.com", "Ola Łuk")


def test_a_line_that_is_gone_stays_with_nothing_to_send(account):
    body = bodies.order(updated_at=EARLY)
    take(account, body)
    take(account, {**body, "line_items": body["line_items"][:1], "updated_at": LATE})
    assert [line.sendable for line in Order.objects.get().lines.all()] == [2, 0]


@pytest.mark.parametrize(
    ("changes", "settings", "state"),
    [
        ({"financial_status": "pending"}, {}, State.UNPAID),
        ({"financial_status": "pending"}, {"release_when": "created"}, State.READY),
        ({"financial_status": "refunded"}, {}, State.UNPAID),
        ({"financial_status": "refunded"}, {"release_when": "created"}, State.UNPAID),
        ({"financial_status": "voided"}, {"release_when": "created"}, State.UNPAID),
        ({"source_name": "pos"}, {"orders_source_name": "Web, subscription"}, State.FILTERED),
        ({"source_name": "WEB"}, {"orders_source_name": "web"}, State.READY),
        ({"source_name": None}, {"orders_source_name": "web"}, State.FILTERED),
        ({"cancelled_at": LATE}, {}, State.CANCELLED),
        ({"created_at": "2019-12-31T00:00:00Z"}, {}, State.TOO_OLD),
        ({}, {"orders_from": None}, State.TOO_OLD),
        ({"line_items": [bodies.line(1, 1, "V", "S", 2, fulfillable_quantity=0)]}, {}, State.NOTHING),
        ({"line_items": []}, {}, State.NOTHING),
    ],
)
def test_what_does_not_go_out_says_why(account, changes, settings, state):
    for name, value in settings.items():
        setattr(account, name, value)
    account.save()
    order = take(account, bodies.order(**changes))
    assert order.state == state
    assert bool(order.state_reason) == (state != State.READY)


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_make_one_order(account):
    base = bodies.order(financial_status="pending")
    versions = [base, {**base, "financial_status": "paid"}, {**base, "note": "n", "financial_status": "paid"}]
    barrier = threading.Barrier(10)
    failures = []

    def worker(number):
        barrier.wait()
        try:
            take(account, versions[number % 3])
        except Exception as error:  # noqa: BLE001 - a thread's error must fail the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    order = Order.objects.get()
    assert order.lines.count() == 2
    assert order.paid_at is not None
    assert order.events.filter(kind="received").count() == 1
