"""A person, the store or another worker comes between two steps of a delivery: the row still says what is so."""

import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from integrations.models import StaffAlert
from orders.models import Order
from orders.tests import bodies
from suppliers import lanes, outbox, routing
from suppliers.models import Delivery, DeliveryAttempt, Endpoint, SupplierOrder
from suppliers.services import parts
from suppliers.tests import factories, hints
from suppliers.tests.changes import LATER, LATER_STILL, changed
from suppliers.tests.runs import commands, files, run

pytestmark = pytest.mark.django_db(transaction=True)


def in_thread(work):
    def run():
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def once_arrived(server, action):
    """Do something once, when the first temporary file has arrived."""
    done = []

    def arrived(path):
        if not done:
            done.append(path)
            action(path)
            connection.close()

    server.on_arrival = arrived


@pytest.mark.parametrize("fault", [{"reply": (553, "Not this name"), "late": True}, {"short": True}])
def test_a_part_cancelled_while_its_last_upload_fails_is_no_dead_letter(server, supplier, settings, fault):
    settings.DELIVERY_MAX_ATTEMPTS = 1
    row = factories.delivery(supplier)
    once_arrived(server, lambda path: parts.cancel(supplier_order=row.supplier_order, reason="Not wanted", by=None))
    server.faults.add("STOR", **fault)
    run(supplier, rounds=2)
    row.refresh_from_db()
    part = SupplierOrder.objects.get()
    assert (row.status, row.claim_token, part.status, part.attention) == ("cancelled", "", "cancelled", "")
    assert files(server) == {}
    assert not StaffAlert.objects.exists()
    assert "given_up" not in DeliveryAttempt.objects.values_list("outcome", flat=True)


def test_a_worker_that_wakes_up_without_its_lane_removes_what_it_has_uploaded(server, supplier, monkeypatch):
    monkeypatch.setattr(lanes, "RENEW_SECONDS", 0)
    for _ in range(3):
        factories.delivery(supplier)

    def take_over(path):
        Endpoint.objects.update(claim_token="another")
        Delivery.objects.update(claim_token="another", temporary_name="another.part")
        (server.orders_folder / "another.part").write_bytes(b"being written")

    once_arrived(server, take_over)
    outbox.deliver(supplier.endpoint_id)
    assert files(server) == {"another.part": b"being written"}
    assert set(Delivery.objects.values_list("claim_token", "temporary_name")) == {("another", "another.part")}


def test_a_worker_without_its_lane_logs_in_no_more_where_the_server_refuses(server, supplier, monkeypatch):
    for _ in range(8):
        factories.delivery(supplier)
    arrived = []

    def take_over(path):
        arrived.append(path)
        if len(arrived) == 6:
            monkeypatch.setattr(lanes, "RENEW_SECONDS", 0)
            Endpoint.objects.update(claim_token="another")
            server.faults.add("DELE", cut="before", times=None)
            server.faults.add("USER", reply=(421, "Busy"), times=None)
            connection.close()

    server.on_arrival = take_over
    outbox.deliver(supplier.endpoint_id)
    assert len(commands(server, "USER")) == 2
    assert set(Delivery.objects.values_list("claim_token", flat=True)) == {""}


def test_a_refused_rename_is_recorded_as_not_done_before_its_temporary_file_is_removed(server, supplier):
    row = factories.delivery(supplier)
    server.faults.add("RNTO", reply=(450, "Busy"))
    removal = server.faults.add("DELE", hold="after")
    thread = in_thread(lambda: outbox.deliver(supplier.endpoint_id))
    wait_for(lambda: removal.is_met and not files(server))
    step = Delivery.objects.values_list("step", flat=True).get()
    removal.release()
    thread.join()
    assert step == "uploading"  # a run that died here would have found neither name, and been uncertain
    factories.let_time_pass()
    run(supplier)
    row.refresh_from_db()
    assert row.status == "sent"


@pytest.mark.parametrize("spoilt", [False, True])
def test_what_is_taken_back_after_a_look_is_recorded_as_not_done_first(server, supplier, spoilt):
    row = factories.killed(factories.delivery(supplier), step="renaming", temporary_name="old.part")
    (server.orders_folder / "old.part").write_bytes(b"half" if spoilt else bytes(row.document))
    Delivery.objects.update(is_held=True)
    removal = server.faults.add("DELE", hold="after")
    thread = in_thread(lambda: outbox.deliver(supplier.endpoint_id))
    wait_for(lambda: removal.is_met and not files(server))
    step = Delivery.objects.values_list("step", flat=True).get()
    removal.release()
    thread.join()
    row.refresh_from_db()
    assert (step, row.status, row.step, row.temporary_name) == ("uploading", "due", "", "")


def test_a_late_rename_of_a_worker_thought_dead_is_found_by_whoever_takes_the_file_back(server, supplier):
    row = factories.killed(factories.delivery(supplier), step="renaming", temporary_name="old.part")
    temporary = server.orders_folder / "old.part"
    temporary.write_bytes(bytes(row.document))
    Delivery.objects.update(is_held=True)
    removal = server.faults.add("DELE", hold="before")
    thread = in_thread(lambda: outbox.deliver(supplier.endpoint_id))
    wait_for(lambda: removal.is_met)
    temporary.rename(server.orders_folder / row.final_name)
    removal.release()
    thread.join()
    row.refresh_from_db()
    assert (row.status, row.step) == ("sent", "sent")
    assert SupplierOrder.objects.get().status == "sent"
    assert files(server) == {row.final_name: bytes(row.document)}


def test_staff_are_told_of_the_next_dead_letter_though_the_first_was_cancelled(server, supplier):
    first = factories.delivery(supplier, status=Delivery.Status.DEAD)
    StaffAlert.objects.create(kind="delivery_dead", key=str(supplier.endpoint_id), subject="s", text="t", over="o")
    outbox.sweep()
    assert StaffAlert.objects.get().cleared_at is None
    parts.cancel(supplier_order=first.supplier_order, reason="Not wanted", by=None)
    Endpoint.objects.update(is_active=False)
    outbox.sweep()
    assert StaffAlert.objects.get().cleared_at


def test_an_order_that_changed_and_was_not_looked_at_yet_does_not_go_out_as_it_was(server, supplier):
    row, other = factories.delivery(supplier), factories.delivery(supplier)
    Order.objects.filter(pk=row.supplier_order.order_id).update(needs_routing=True)
    run(supplier)
    assert list(files(server)) == [other.final_name]
    Order.objects.update(needs_routing=False)
    run(supplier)
    assert set(files(server)) == {row.final_name, other.final_name}


def test_the_file_of_an_order_that_was_looked_at_again_waits_for_no_sweep(take, north):
    take(bodies.order())
    Order.objects.update(needs_routing=True)
    hints.sent()
    assert routing.route() == 1
    assert ("suppliers.sweep_deliveries",) in hints.sent()


def test_an_order_whose_store_is_merely_asked_again_does_not_wait_for_the_answer(server, supplier):
    row = factories.delivery(supplier)
    Order.objects.update(needs_reread=True)
    run(supplier)
    assert list(files(server)) == [row.final_name]


def test_an_order_that_changes_between_upload_and_rename_stops_its_file(server, supplier):
    row = factories.delivery(supplier)
    once_arrived(server, lambda path: Order.objects.update(needs_routing=True))
    run(supplier)
    row.refresh_from_db()
    assert (row.status, row.step, files(server)) == ("due", "", {})


def test_an_order_that_changes_twice_leaves_no_temporary_file_and_keeps_what_was_tried(take, north, sends, server):
    body = bodies.order()
    order = take(body)
    part = order.supplier_orders.get()
    (server.orders_folder / "old.part").write_bytes(b"half")
    row = factories.killed(part.delivery, step="uploading", temporary_name="old.part")
    DeliveryAttempt.objects.create(delivery=row, number=1, started_at=timezone.now(), outcome="failed")
    for at, city in ((LATER, "Elsewhere"), (LATER_STILL, "Nowhere")):
        take(changed(body, at, shipping_address={**body["shipping_address"], "city": city}))
    assert sends() == [part.delivery.final_name]
    assert b"Nowhere" in (server.orders_folder / part.delivery.final_name).read_bytes()
    assert list(DeliveryAttempt.objects.values_list("outcome", flat=True)) == ["failed", "sent"]


@pytest.mark.parametrize("kind", ["endpoint_unreachable", "endpoint_stopped", "endpoint_check"])
@pytest.mark.parametrize("is_deleted", [True, False])
def test_an_endpoint_that_nobody_uses_any_more_needs_no_attention(kind, is_deleted):
    endpoint, used = factories.endpoint(), factories.endpoint()
    for each in (endpoint, used):
        StaffAlert.objects.create(
            kind=kind, key=str(each.pk), subject="s", text="t", over="o", mailed_at=timezone.now()
        )
    if is_deleted:
        endpoint.delete()
    else:
        Endpoint.objects.filter(pk=endpoint.pk).update(is_active=False)
    outbox.sweep()
    assert [alert.key for alert in StaffAlert.objects.filter(cleared_at=None)] == [str(used.pk)]
    assert StaffAlert.objects.exclude(cleared_at=None).get().over == ""  # it does not work again, so nobody says so
