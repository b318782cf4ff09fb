"""The outbox against a real FTP server: what goes right, and who may not go."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from integrations.models import AccountShopify, StaffAlert
from orders.models import Order
from orders.services import Refused
from suppliers import outbox, waiting
from suppliers.models import Delivery, DeliveryAttempt, Endpoint, Supplier, SupplierOrder
from suppliers.services import orders, parts, suppliers
from suppliers.tests import factories, hints

pytestmark = pytest.mark.django_db(transaction=True)


def files(server):
    return {path.name: path.read_bytes() for path in server.orders_folder.iterdir()}


def commands(server, name):
    return [entry.argument for entry in server.log if entry.command == name]


def test_due_files_go_over_one_session_each_once(server, supplier):
    rows = [factories.delivery(supplier) for _ in range(45)]
    assert outbox.deliver(supplier.endpoint_id) == 45
    assert files(server) == {row.final_name: bytes(row.document) for row in rows}
    assert set(Delivery.objects.values_list("status", "step", "attempts")) == {("sent", "sent", 1)}
    assert server.logins == 1
    assert len(commands(server, "TYPE")) == 1
    assert commands(server, "RNTO") == [f"in/{row.final_name}" for row in rows]


def test_a_sent_file_is_recorded_everywhere(server, supplier):
    row = factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    row.refresh_from_db()
    part = SupplierOrder.objects.get()
    assert part.status == SupplierOrder.Status.SENT
    assert part.sent_at == row.sent_at >= row.first_claimed_at
    assert (row.claim_token, row.lease_until, row.last_error) == ("", None, "")
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.number, attempt.outcome) == (1, "sent")
    event = part.order.events.get()
    assert (event.kind, event.reference) == ("delivered", part.reference)
    assert row.final_name in event.text


def test_the_session_is_kept_for_the_next_run_and_a_new_password_opens_another(server, supplier):
    for _ in range(3):
        factories.delivery(supplier)
        outbox.deliver(supplier.endpoint_id)
    assert server.logins == 1
    Endpoint.objects.update(password="another")
    row = factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    row.refresh_from_db()
    assert (row.status, server.failed_logins) == ("due", 1)


def test_a_server_that_forgot_the_kept_session_gets_a_new_login(server, supplier):
    factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    server.stop()
    server.start()
    row = factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    factories.let_time_pass()
    outbox.deliver(supplier.endpoint_id)
    row.refresh_from_db()
    assert row.status == "sent"
    assert len(files(server)) == 2


def test_workers_at_once_bring_each_file_once(server, supplier):
    rows = [factories.delivery(supplier) for _ in range(40)]

    def work():
        try:
            outbox.deliver(supplier.endpoint_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(commands(server, "RNTO")) == sorted(f"in/{row.final_name}" for row in rows)
    assert set(files(server)) == {row.final_name for row in rows}
    assert DeliveryAttempt.objects.count() == 40
    assert server.logins == 1


def _pause_supplier(row):
    Supplier.objects.update(paused_at=timezone.now())


def _pause_account(row):
    AccountShopify.objects.update(paused_at=timezone.now())


def _hold_part(row):
    parts.hold(supplier_order=row.supplier_order, reason="Wrong address", by=None)


def _hold_order(row):
    orders.hold(order=row.supplier_order.order, reason="Wrong address", by=None)


def _cancel_order(row):
    orders.cancel(order=row.supplier_order.order, reason="The client asked", by=None)


def _cancel_in_the_store(row):
    Order.objects.update(state=Order.State.CANCELLED, cancelled_at=timezone.now())


def _stop_endpoint(row):
    Endpoint.objects.update(stopped_at=timezone.now())


def _retire_endpoint(row):
    Endpoint.objects.update(is_active=False)


def _wait(row):
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=5))


FORBID = [
    _pause_supplier,
    _pause_account,
    _hold_part,
    _hold_order,
    _cancel_order,
    _cancel_in_the_store,
    _stop_endpoint,
    _retire_endpoint,
    _wait,
]


@pytest.mark.parametrize("forbid", FORBID)
def test_what_may_not_go_stays_untouched(server, supplier, forbid):
    row = factories.delivery(supplier)
    forbid(row)
    assert outbox.sweep() == 0
    assert outbox.deliver(supplier.endpoint_id) == 0
    row.refresh_from_db()
    assert (row.step, row.attempts, row.first_claimed_at) == ("", 0, None)
    assert server.sessions == 0


@pytest.mark.parametrize("forbid", [_pause_supplier, _hold_part, _hold_order, _cancel_order, _cancel_in_the_store])
def test_a_stop_between_upload_and_rename_wins(server, supplier, forbid):
    row = factories.delivery(supplier)

    def stop(path):
        if path.name.endswith(".part"):
            forbid(row)
            connection.close()

    server.on_arrival = stop
    outbox.deliver(supplier.endpoint_id)
    row.refresh_from_db()
    assert (row.status, row.step) == ("cancelled" if forbid is _cancel_order else "due", "")
    assert row.attempts == 0
    assert files(server) == {}
    assert commands(server, "RNTO") == []
    assert DeliveryAttempt.objects.get().outcome == "stopped"
    assert SupplierOrder.objects.get().status in ("ready", "cancelled")


def _set_mode(supplier, mode):
    Supplier.objects.filter(pk=supplier.pk).update(mode=mode)


OTHER_MODE = [(True, "live", suppliers.back_to_test, "test order"), (False, "test", suppliers.go_live, "real order")]


@pytest.mark.parametrize(("is_test", "mode", "mend", "word"), OTHER_MODE)
def test_a_file_of_the_other_mode_waits_with_a_reason_and_goes_once_that_fits(
    server, supplier, is_test, mode, mend, word
):
    row = factories.delivery(supplier, supplier_order=factories.part(supplier, order=factories.order(is_test=is_test)))
    _set_mode(supplier, mode)
    assert outbox.sweep() == outbox.deliver(supplier.endpoint_id) == 0
    assert (server.sessions, waiting_reason(row).count(word)) == (0, 1)
    hints.sent()
    mend(supplier=Supplier.objects.get(pk=supplier.pk), by=None)
    assert ("suppliers.deliver", supplier.endpoint_id) in hints.sent()
    assert waiting_reason(row) == ""
    outbox.deliver(supplier.endpoint_id)
    assert set(files(server)) == {row.final_name}


def waiting_reason(row):
    return waiting.reason(Delivery.objects.get(pk=row.pk))


def _break(row):
    Endpoint.objects.update(opened_at=timezone.now(), next_attempt_at=timezone.now() + timedelta(minutes=5))


def _change_order(row):
    Order.objects.update(needs_routing=True)


def _make_anew(row):
    SupplierOrder.objects.update(status="blocked", attention="The document cannot be made: no SKU.")
    Delivery.objects.update(is_held=True)


def _give_up(row):
    Delivery.objects.update(status="dead")


def _doubt(row):
    Delivery.objects.update(status="uncertain", step="renaming")


TOLD = {
    _pause_supplier: "is paused. Resume it first.",
    _hold_part: "This part is on hold: Wrong address",
    _hold_order: "The order does not go out: ",
    _stop_endpoint: "The endpoint is stopped.",
    _retire_endpoint: "Make it active again, or choose another one on the page of Supplier",
    _break: "Files do not reach the endpoint: it is left alone until",
    _change_order: "The order has changed, or may have",
    _give_up: "Mend the cause, which the last error tells, then choose Retry now.",
    _doubt: "Look on the server or ask the supplier, then choose Settle.",
    _make_anew: "Its document is to be made anew. The document cannot be made: no SKU.",
}


@pytest.mark.parametrize("forbid", TOLD)
def test_a_file_that_waits_says_why(supplier, forbid):
    row = factories.delivery(supplier)
    assert waiting.told(Delivery.objects.get(pk=row.pk)) == ""
    forbid(row)
    assert TOLD[forbid] in waiting.told(Delivery.objects.get(pk=row.pk))


@pytest.mark.parametrize("is_test", [True, False])
def test_a_supplier_whose_mode_changes_between_upload_and_rename_gets_nothing(server, supplier, is_test):
    row = factories.delivery(supplier, supplier_order=factories.part(supplier, order=factories.order(is_test=is_test)))
    _set_mode(supplier, "test" if is_test else "live")

    def change(path):
        if path.name.endswith(".part"):
            _set_mode(supplier, "live" if is_test else "test")
            connection.close()

    server.on_arrival = change
    outbox.deliver(supplier.endpoint_id)
    row.refresh_from_db()
    assert (row.status, row.step, row.attempts) == ("due", "", 0)
    assert files(server) == {}
    assert commands(server, "RNTO") == []


def test_a_released_file_goes_out(server, supplier):
    row = factories.delivery(supplier)
    _hold_part(row)
    outbox.deliver(supplier.endpoint_id)
    assert files(server) == {}
    parts.release(supplier_order=row.supplier_order, reason="ready", by=None)
    outbox.deliver(supplier.endpoint_id)
    assert files(server) == {row.final_name: bytes(row.document)}


def test_once_the_rename_is_recorded_a_hold_is_refused(server, supplier):
    row = factories.killed(factories.delivery(supplier), step="renaming", temporary_name="x.part")
    with pytest.raises(Refused):
        _hold_part(row)
    row.refresh_from_db()
    assert not row.is_held


def test_sweep_kicks_each_endpoint_with_due_files_once(server, supplier):
    other = factories.supplier(endpoint=factories.endpoint(server, orders_folder="other"))
    idle = factories.supplier()
    for _ in range(3):
        factories.delivery(supplier)
        factories.delivery(other)
    factories.killed(factories.delivery(idle), step="uploading")
    hints.sent()
    assert outbox.sweep() == 3
    endpoints = (supplier.endpoint_id, other.endpoint_id, idle.endpoint_id)
    assert hints.sent() == {("suppliers.deliver", pk) for pk in endpoints}


def test_open_alerts_cost_a_sweep_the_same_however_many(supplier, django_assert_max_num_queries):
    for _ in range(10):
        row = factories.delivery(factories.supplier(), status=Delivery.Status.DEAD)
        StaffAlert.objects.create(kind="delivery_dead", key=str(row.endpoint_id), subject="s", text="t", over="o")
    Delivery.objects.filter(pk=row.pk).update(status=Delivery.Status.CANCELLED)
    with django_assert_max_num_queries(10):
        outbox.sweep()
    assert StaffAlert.objects.exclude(cleared_at=None).get().key == str(row.endpoint_id)


def test_sweep_leaves_endpoints_alone_that_are_busy_or_pausing(supplier):
    factories.delivery(supplier)
    soon = timezone.now() + timedelta(minutes=1)
    for columns in ({"lease_until": soon}, {"lease_until": None, "next_attempt_at": soon}):
        Endpoint.objects.update(**columns)
        assert outbox.sweep() == 0
        assert outbox.deliver(supplier.endpoint_id) == 0


def test_alerts_are_none_where_all_went_well(server, supplier):
    factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    assert not StaffAlert.objects.exists()
