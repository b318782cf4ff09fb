"""A run and somebody else write of the same orders at once: neither waits for what the other has. For PostgreSQL."""

import threading
import time

import pytest
from django.db import OperationalError, connection, transaction

from orders import settlement
from orders.models import Order
from suppliers import outbox, parts, turns
from suppliers.models import Amendment, Delivery, SupplierOrder
from suppliers.services import deliveries
from suppliers.tests import factories

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only: SQLite has one writer at a time"),
]
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Somebody:
    """A person whose transaction locks an order, and goes on only when a run waits for them or is over."""

    def __init__(self, order, *steps):
        self.order, self.steps, self.results, self.error = order, steps, [], None
        self.is_inside, self.is_run_over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._act)

    def begin(self):
        self.thread.start()
        assert self.is_inside.wait(10)

    def end(self):
        self.is_run_over.set()
        self.thread.join()
        assert self.error is None, self.error

    def _act(self):
        try:
            with transaction.atomic():
                settlement.locked(self.order.pk)
                self.results.append(self.steps[0]())
                self.is_inside.set()
                self._wait_for_run()
                self.results += [step() for step in self.steps[1:]]
        except OperationalError as error:
            self.error = error
        finally:
            self.is_inside.set()
            connection.close()

    def _wait_for_run(self):
        until = time.monotonic() + 10
        while time.monotonic() < until and not self.is_run_over.is_set():
            with connection.cursor() as cursor:
                cursor.execute(_WAITING)
                if cursor.fetchone()[0]:
                    return
            time.sleep(0.01)


def on_upload(server, row, action):
    """Do something once, while the temporary file of `row` arrives."""
    done = []

    def arrived(path):
        if path.name.startswith(row.final_name) and path.name != row.final_name and not done:
            done.append(path)
            action()
            connection.close()

    server.on_arrival = arrived


def nothing():
    return None


def run(server, somebody, endpoint_id):
    try:
        outbox.deliver(endpoint_id)
    finally:
        somebody.end()
        server.on_arrival = lambda path: None


def test_a_stopped_file_and_the_person_who_cancels_its_order(server, supplier):
    row = factories.delivery(supplier)
    part = row.supplier_order
    somebody = Somebody(part.order, nothing, lambda: parts.cancel(part, "Not wanted."))

    def hold():
        Delivery.objects.filter(pk=row.pk).update(is_held=True)
        somebody.begin()

    on_upload(server, row, hold)
    run(server, somebody, supplier.endpoint_id)
    row.refresh_from_db()
    assert (somebody.results, row.status, row.claim_token) == ([None, True], "cancelled", "")
    assert list(server.orders_folder.iterdir()) == []


def test_a_revision_on_its_way_and_the_person_who_cancels_it(server, supplier):
    former = factories.part(supplier, status=SupplierOrder.Status.SENT)
    newer = factories.part(supplier, order=former.order, revision=2, replaces=former)
    row = factories.delivery(supplier, supplier_order=newer)
    somebody = Somebody(former.order, nothing, lambda: parts.cancel(newer, "Not wanted."))
    on_upload(server, row, somebody.begin)
    run(server, somebody, supplier.endpoint_id)
    former.refresh_from_db()
    assert (somebody.results, Delivery.objects.get().status, former.status) == ([None, True], "cancelled", "sent")


def test_two_files_of_one_order_in_groups_of_many(server, supplier):
    rows = [factories.delivery(supplier) for _ in range(10)]
    other = factories.supplier(endpoint=supplier.endpoint)
    second = factories.part(other, order=rows[0].supplier_order.order)
    rows.append(factories.delivery(other, supplier_order=second))
    somebody = Somebody(
        second.order, lambda: parts.stop(second), lambda: parts.stop(SupplierOrder.objects.get(delivery=rows[0]))
    )
    on_upload(server, rows[10], somebody.begin)
    run(server, somebody, supplier.endpoint_id)
    assert somebody.results == [True, False]
    states = dict(Delivery.objects.values_list("pk", "status"))
    assert states == {row.pk: "sent" for row in rows[:10]} | {rows[10].pk: "due"}
    assert {path.name for path in server.orders_folder.iterdir()} == {row.final_name for row in rows[:10]}


def test_a_change_that_is_noted_while_its_file_is_recorded_as_sent_is_looked_at_again(server, supplier):
    row = factories.delivery(supplier)
    part = row.supplier_order
    Order.objects.update(needs_routing=False)
    somebody = Somebody(part.order, lambda: Amendment.objects.create(supplier_order=part, is_cancellation=True))
    on_upload(server, row, somebody.begin)
    run(server, somebody, supplier.endpoint_id)
    assert (Delivery.objects.get().status, Order.objects.get().needs_routing) == ("sent", True)


def test_two_of_an_order_are_claimed_while_a_person_stops_both(server, supplier):
    first = factories.delivery(supplier)
    other = factories.supplier(endpoint=supplier.endpoint)
    second = factories.delivery(other, supplier_order=factories.part(other, order=first.supplier_order.order))
    somebody = Somebody(
        first.supplier_order.order,
        lambda: parts.stop(second.supplier_order),
        lambda: parts.stop(first.supplier_order),
    )
    somebody.begin()
    run(server, somebody, supplier.endpoint_id)
    assert somebody.results == [True, True]
    assert set(Delivery.objects.values_list("status", "is_held", "claim_token")) == {("due", True, "")}
    assert not server.log or "STOR" not in {entry.command for entry in server.log}


def test_a_group_that_waited_is_written_at_once_and_not_file_by_file(supplier):
    orders = {factories.delivery(supplier).supplier_order.order_id for _ in range(10)}
    free = factories.delivery(supplier).supplier_order.order_id
    first = Order.objects.get(pk=min(orders))
    somebody = Somebody(first, lambda: len(settlement.lock_free(orders)), nothing)
    somebody.begin()
    written = []
    try:
        turns.each(orders | {free}, written.append)
    finally:
        somebody.end()
    assert somebody.results == [10, None]
    assert written == [{free}, orders]


def test_given_up_files_are_retried_while_a_person_holds_their_order(supplier):
    first = factories.delivery(supplier, status=Delivery.Status.DEAD)
    other = factories.supplier(endpoint=supplier.endpoint)
    second = factories.part(other, order=first.supplier_order.order)
    factories.delivery(other, supplier_order=second, status=Delivery.Status.DEAD)
    order = second.order
    somebody = Somebody(order, lambda: parts.stop(second), lambda: parts.stop(first.supplier_order))
    somebody.begin()
    try:
        pks = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
        retried = deliveries.retry_many(deliveries=pks, reason="Mended.", by=None)
    finally:
        somebody.end()
    assert (somebody.results, retried) == ([True, True], 0)
    assert set(Delivery.objects.values_list("status", "is_held")) == {("dead", True)}
