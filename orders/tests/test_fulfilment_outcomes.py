"""Calls whose answer is lost, workers that are killed or frozen, two at once: the store is told once all the same."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from orders import fulfilments, services, shipments
from orders.models import Fulfilment, Shipment
from orders.tests import shipping
from orders.tests.connected import connect
from orders.tests.shipping import in_store, quantities, said, ship, sold, state, tell
from sandbox.shopify import Behaviour, ShopifySandbox

pytestmark = pytest.mark.django_db(transaction=True)
RUN = "import django; django.setup(); from orders import fulfilments; fulfilments.tell()"


@pytest.fixture
def store():
    with ShopifySandbox(behaviour=Behaviour(hang_seconds=60)) as sandbox:
        sandbox.add_app("client", "hush", [])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def connected(account, store, settings):
    return connect(account, store, settings, shipping.SCOPES)


def fail(store, kind, count=1):
    store.add_fault(kind, count, operation="fulfillmentCreate")


@pytest.mark.parametrize("kind", ["lost", "late_502", "late_errors", "late_user_errors"])
@pytest.mark.parametrize("numbers", [["JJD1"], []])
def test_a_call_that_was_carried_out_without_an_answer_is_found(connected, store, kind, numbers):
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body), numbers=numbers)
    fail(store, kind)
    fulfilments.tell()
    assert state(shipment)[0] == "waiting" and shipment.fulfilments.get().status == Fulfilment.Status.CALLING
    assert shipments.why_it_waits(shipment) == fulfilments.NO_ANSWER
    tell()
    assert state(shipment) == ("told", "") and len(in_store(store, order)) == 1
    made = store.state.shops["test"].orders[order.shopify_id]["fulfillments"][0]
    assert shipment.fulfilments.get().shopify_id == made["id"]


def test_a_call_that_was_not_carried_out_is_made_again_once_that_is_sure(connected, store):
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body))
    fail(store, "502")
    fulfilments.tell()
    for _ in range(3):  # it may still be carried out
        Shipment.objects.update(next_attempt_at="2026-01-01T00:00Z")
        fulfilments.tell()
        assert state(shipment)[0] == "waiting" and in_store(store, order) == []
    tell()
    assert state(shipment)[0] == "told" and len(in_store(store, order)) == 1


def uncertain(connected, store):
    """Lose a call while the store's staff fulfil other pieces of the same line."""
    order, body = sold(connected, store, pieces=4)
    line = body["line_items"][0]
    shipment = ship(order, {line["id"]: 1}, numbers=[])
    fail(store, "502")
    fulfilments.tell()
    store.fulfilment.by_hand("test", order.shopify_id, {line["id"]: 2})
    tell()
    return order, shipment, line


def test_what_cannot_be_told_is_left_to_a_person(connected, store):
    order, shipment, line = uncertain(connected, store)
    status, note = state(shipment)
    assert status == "blocked" and "does not tell whether it did" in note
    assert shipment.fulfilments.get().status == Fulfilment.Status.UNCERTAIN and said(order, "not_told")
    tell()
    with pytest.raises(services.Refused, match="uncertain"):
        services.try_shipment_again(shipment=shipment, by=None)
    assert len(in_store(store, order)) == 1
    second = ship(order, {line["id"]: 1}, "D-2")
    tell()
    assert state(second)[0] == "waiting" and "uncertain" in second.last_error and len(in_store(store, order)) == 1


@pytest.mark.parametrize("was_told", [True, False])
def test_a_person_settles_it(connected, store, was_told):
    order, shipment, line = uncertain(connected, store)
    services.settle_shipment(shipment=shipment, was_told=was_told, reason="I looked.", by=None)
    tell()
    assert state(shipment)[0] == "told"
    counts = [pieces for pieces, _ in in_store(store, order)]
    assert counts == ([{line["id"]: 2}] if was_told else [{line["id"]: 2}, {line["id"]: 1}])
    with pytest.raises(services.Refused, match="told of this shipment already"):
        services.settle_shipment(shipment=shipment, was_told=False, reason="Once more.", by=None)


def test_two_runners_at_once_tell_each_shipment_once(connected, store):
    orders = [sold(connected, store) for _ in range(6)]
    for order, body in orders:
        first, second = body["line_items"]
        ship(order, {first["id"]: first["quantity"]}, "D-1", numbers=["N1"])
        ship(order, {second["id"]: second["quantity"]}, "D-2", numbers=["N2"])
    start = threading.Barrier(3)

    def run():
        try:
            start.wait()
            fulfilments.tell()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(run) for _ in range(3)]:
            future.result()
    deadline = time.monotonic() + 20
    while Shipment.objects.filter(status="waiting").exists() and time.monotonic() < deadline:
        tell()
    assert set(Shipment.objects.values_list("status", flat=True)) == {"told"}
    for order, body in orders:
        first, second = body["line_items"]
        wanted = [({first["id"]: first["quantity"]}, ["N1"]), ({second["id"]: second["quantity"]}, ["N2"])]
        assert sorted(in_store(store, order), key=str) == sorted(wanted, key=str)


@pytest.fixture
def worker(store):
    """Start runners as processes of their own, on the test's database; they are gone afterwards."""
    started = []

    def start():
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "hemi.settings",
            "DATABASE_URL": _database_url(),
            "SHOPIFY_SHOP_URL": store.shop_url_template,
        }
        started.append(subprocess.Popen([sys.executable, "-c", RUN], env=env))  # noqa: S603
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def _database_url():
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    place = f"{database['HOST'] or 'localhost'}:{database['PORT'] or 5432}/{database['NAME']}"
    return f"postgres://{database['USER']}:{database['PASSWORD']}@{place}"


def until(look):
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.02)


@pytest.mark.parametrize(("kind", "is_carried_out"), [("late", True), ("timeout", False)])
def test_a_worker_killed_during_the_call(connected, store, worker, kind, is_carried_out):
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body))
    fail(store, kind)
    process = worker()
    until(lambda: not store.faults._faults and Fulfilment.objects.filter(status="calling").exists())
    until(lambda: bool(in_store(store, order)) == is_carried_out)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert shipment.fulfilments.get().status == Fulfilment.Status.CALLING
    fulfilments.tell()
    assert state(shipment)[0] == "waiting"  # the dead worker's lease still runs
    tell()
    assert state(shipment)[0] == "told"
    assert in_store(store, order) == [(quantities(body), ["JJD1"])]


def test_a_worker_that_was_frozen_past_its_lease_changes_nothing(connected, store, worker):
    order, body = sold(connected, store)
    shipment = ship(order, quantities(body))
    fail(store, "late")
    process = worker()
    until(lambda: in_store(store, order))
    process.send_signal(signal.SIGSTOP)
    tell()
    before = list(Fulfilment.objects.values_list()), list(Shipment.objects.values_list())
    assert state(shipment)[0] == "told"
    store.stop()  # the frozen worker's connection ends without an answer
    process.send_signal(signal.SIGCONT)
    assert process.wait(20) == 0
    assert (list(Fulfilment.objects.values_list()), list(Shipment.objects.values_list())) == before
    assert len(in_store(store, order)) == 1
