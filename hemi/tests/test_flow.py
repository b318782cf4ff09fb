"""The whole way: from signed webhooks at the real view to files on suppliers' real FTP servers, once each."""

import copy
import json
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from celery import current_app
from django.db import connections
from django.test import Client as Browser

from hemi.lib import queue
from integrations import inbox
from integrations.models import AccountShopify, WebhookEvent
from integrations.tests.webhooks import post
from orders.models import Order
from orders.tests import bodies
from sandbox.supplier import SupplierSandbox
from suppliers import due, inbound, outbox, rendering, replies, routing
from suppliers.models import Delivery, RoutingRule, Supplier, SupplierOrder, SupplierReply
from suppliers.tests import factories
from suppliers.transports import sessions

pytestmark = pytest.mark.django_db(transaction=True)
SAMPLES = (
    Path(os.environ.get("HEMI_REFERENCE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "orders"
)
VENDORS = {"NORTH": "Northwind", "SUED": "Südhaus"}
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="reference data is not here")


@pytest.fixture
def account(account):
    """A store whose orders go out, however old they are."""
    account.orders_from = datetime(2010, 1, 1, tzinfo=UTC)
    account.save()
    return account


@pytest.fixture
def servers(db, tmp_path):
    """Two live suppliers with a server each, by code."""
    made = {code: SupplierSandbox(code.lower(), tmp_path / code).start() for code in VENDORS}
    for code, server in made.items():
        supplier = factories.supplier(
            code=code,
            endpoint=factories.endpoint(server.ftp, orders_folder="in", replies_folder="out"),
        )
        RoutingRule.objects.create(priority=50, vendor=VENDORS[code], supplier=supplier)
    yield made
    sessions.kept.close_idle()
    for server in made.values():
        server.stop()


@pytest.fixture
def broker_is_away(monkeypatch):
    """A broker that refuses every hint."""

    def refuse(*args, **kwargs):
        raise ConnectionRefusedError("no broker")

    monkeypatch.setattr(current_app, "send_task", refuse)


def send(account, body, **changes):
    """Post one webhook with an id of its own, as from a thread of the web server."""
    changes.setdefault("Webhook_Id", str(uuid.uuid4()))
    try:
        domain = f"{account.shop_name}.myshopify.com"
        return post(Browser(), account, bodies.encode(body), Shop_Domain=domain, **changes).status_code
    finally:
        connections.close_all()


def take_in():
    """Call the runners that make documents of webhooks."""
    inbox.process_events()
    routing.route()
    rendering.render()


def deliver():
    """Bring what the sweep finds due."""
    for endpoint in due.endpoints_with_deliveries():
        outbox.deliver(endpoint.pk)


def references(server, count):
    """Return the references of the files that arrived, once there are `count`."""
    found = [order.reference for order in server.wait_for_orders(count)]
    assert (server.duplicates, server.broken) == ({}, [])
    return sorted(found)


def expected(code):
    """Return the references that a supplier should have."""
    return sorted(SupplierOrder.objects.filter(supplier__code=code).values_list("reference", flat=True))


def sample(year):
    return json.loads((SAMPLES / f"official_sample_{year}.json").read_bytes())


def live_copy(body, number):
    """Return the sample as a paid order of today, with ids, vendors and dates of its own."""
    copied, now = copy.deepcopy(body), "2026-11-20T10:00:00+01:00"
    copied.update(id=number, name=f"#{number}", test=False, cancelled_at=None, financial_status="paid")
    copied.update(created_at=now, updated_at=now)
    for position, line in enumerate(copied["line_items"]):
        line.update(id=number * 100 + position, vendor=list(VENDORS.values())[position % 2])
    return copied


@needs_samples
def test_official_samples_become_orders_and_no_files(account, servers):
    other = AccountShopify.objects.create(
        shop_name="other", integration=account.integration, orders_from=account.orders_from
    )
    for owner, year in ((account, 2025), (other, 2017)):
        assert send(owner, sample(year)) == 200
    take_in()
    deliver()
    assert sorted(Order.objects.values_list("account__shop_name", flat=True)) == ["other", "test"]
    for order in Order.objects.all():
        assert (order.state, order.state_reason) == (Order.State.CANCELLED, "Cancelled in the store.")
        assert order.events.filter(text__contains="Not going out: Cancelled in the store.").exists()
    assert not SupplierOrder.objects.exists()
    assert not any(list(server.ftp.orders_folder.iterdir()) for server in servers.values())


@needs_samples
def test_live_copies_of_the_samples_reach_both_suppliers_and_are_replied_to(account, servers):
    for number, year in ((7001, 2025), (7002, 2017)):
        assert send(account, live_copy(sample(year), number)) == 200
    take_in()
    deliver()
    for code, server in servers.items():
        assert references(server, 2) == expected(code)
    collect_replies(4)
    assert set(SupplierOrder.objects.values_list("status", flat=True)) == {SupplierOrder.Status.ACCEPTED}


def collect_replies(count):
    """Look for replies until so many are stored, then apply them."""
    deadline = time.monotonic() + 10
    while SupplierReply.objects.count() < count:
        assert time.monotonic() < deadline, "the replies were not collected within 10 s"
        factories.let_time_pass()
        for supplier in Supplier.objects.all():
            inbound.collect(supplier.endpoint_id)
        time.sleep(0.05)
    replies.apply_replies()


@pytest.mark.parametrize("has_one_id", [True, False])
@pytest.mark.parametrize("has_one_moment", [True, False])
def test_one_order_posted_ten_times_at_once_is_one_file_each(account, servers, has_one_id, has_one_moment):
    body, webhook_id = bodies.order(), str(uuid.uuid4())

    def once(number):
        moment = "2026-11-20T10:00:00+01:00" if has_one_moment else f"2026-11-20T10:00:{number:02}+01:00"
        topic = ("orders/create", "orders/updated", "orders/paid")[number % 3]
        return send(
            account,
            {**body, "updated_at": moment, "note": f"State {number}"},
            Topic=topic,
            Webhook_Id=webhook_id if has_one_id else str(uuid.uuid4()),
        )

    def run(_):
        try:
            take_in()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(once, range(10))) == {200}
    assert WebhookEvent.objects.count() == (1 if has_one_id else 10)
    with ThreadPoolExecutor(3) as pool:  # three workers at once
        list(pool.map(run, range(3)))
    take_in()
    deliver()
    order = Order.objects.get()
    if not (has_one_id or has_one_moment):
        assert order.note == "State 9"
    for code, server in servers.items():
        assert references(server, 1) == expected(code)


def test_hundred_webhooks_while_the_broker_is_away_are_hundred_orders(account, servers, broker_is_away):
    refused = queue.hints.refused
    sent = [bodies.order() for _ in range(100)]
    assert {send(account, body) for body in sent} == {200}
    deadline = time.monotonic() + 10
    while queue.hints.refused == refused:
        assert time.monotonic() < deadline, "no hint was refused: the broker is not away"
        time.sleep(0.02)
    for _ in range(2):  # the sweeps call the same runners, over and over
        take_in()
        deliver()
    assert set(Order.objects.values_list("shopify_id", flat=True)) == {body["id"] for body in sent}
    assert Order.objects.count() == 100
    for code, server in servers.items():
        assert references(server, 100) == expected(code)
    assert not Delivery.objects.exclude(status=Delivery.Status.SENT).exists()


def test_orders_that_wait_for_a_stopped_server_are_each_delivered_once(account, servers):
    away = servers["NORTH"]
    away.ftp.stop()
    for _ in range(30):
        assert send(account, bodies.order()) == 200
    take_in()
    deliver()
    assert references(servers["SUED"], 30) == expected("SUED")
    waiting = Delivery.objects.filter(supplier_order__supplier__code="NORTH", status=Delivery.Status.DUE)
    assert (waiting.count(), away.orders) == (30, [])
    away.ftp.start()
    factories.let_time_pass()
    deliver()
    assert references(away, 30) == expected("NORTH")
    assert not waiting.exists()
