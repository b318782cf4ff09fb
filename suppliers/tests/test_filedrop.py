"""What an endpoint wants around its files: temporary names, done-files, files that are taken; and what is left over."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from hemi.tests.one_of_each import order_line
from orders.services import Refused
from suppliers import naming, outbox, resending
from suppliers.models import Delivery, DeliveryAttempt, Endpoint, Supplier, SupplierOrder, SupplierOrderLine
from suppliers.services import deliveries, orders
from suppliers.tests import factories
from suppliers.tests.runs import commands, run

pytestmark = pytest.mark.django_db(transaction=True)


def files(server, folder="in"):
    return {path.name: path.read_bytes() for path in (server.root / folder).iterdir() if path.is_file()}


def outcome(row):
    row.refresh_from_db()
    return row.status, row.step


STYLES = [("suffix", ".part"), ("prefix", ".hemi-"), ("folder", "in/tmp"), ("folder", "waiting")]


@pytest.mark.parametrize(("style", "mark"), STYLES)
@pytest.mark.parametrize("cut", [None, "STOR", "RNTO"])
def test_every_style_of_temporary_name_bears_the_claim_and_leaves_nothing(server, supplier, style, mark, cut):
    Endpoint.objects.update(temporary_style=style, temporary_mark=mark)
    rows = [factories.delivery(supplier) for _ in range(4)]
    if cut:
        server.faults.add(cut, cut="after", skip=1)
    run(supplier, rounds=3)
    assert files(server) == {row.final_name: bytes(row.document) for row in rows}
    if style == "folder":
        assert files(server, mark) == {}
    for name in commands(server, "STOR"):
        assert mark in name
        assert any(row.final_name in name and f"in/{row.final_name}" != name for row in rows)


def test_what_was_frozen_at_the_claim_is_used_though_the_endpoint_changed(server, supplier):
    row = factories.killed(factories.delivery(supplier), step="renaming", temporary_name="old.part")
    (server.orders_folder / "old.part").write_bytes(bytes(row.document))
    Endpoint.objects.update(temporary_style="folder", temporary_mark="elsewhere", orders_folder="out")
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert files(server) == {row.final_name: bytes(row.document)}


def test_a_done_file_follows_each_file(server, supplier):
    rows = [factories.delivery(supplier) for _ in range(3)]
    for row in rows:
        Delivery.objects.filter(pk=row.pk).update(done_name=f"{row.final_name}.done")
    run(supplier)
    assert set(files(server)) == {name for row in rows for name in (row.final_name, f"{row.final_name}.done")}
    assert {content for name, content in files(server).items() if name.endswith(".done")} == {b""}
    stored = [name for name in commands(server, "STOR") if name.endswith(".done")]
    last_rename = max(entry.at for entry in server.log if entry.command == "RNTO")
    assert len(stored) == 3
    assert min(entry.at for entry in server.log if entry.argument in stored) > last_rename
    assert {outcome(row) for row in rows} == {("sent", "sent")}


@pytest.mark.parametrize("is_there", [True, False])
def test_killed_at_the_done_file_writes_it_again_and_nothing_else(server, supplier, is_there):
    row = factories.delivery(supplier, done_name="a.done")
    factories.killed(row, step="signalling", temporary_name="old.part")
    (server.orders_folder / row.final_name).write_bytes(bytes(row.document))
    if is_there:
        (server.orders_folder / "a.done").write_bytes(b"")
    Delivery.objects.update(is_held=True)
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert commands(server, "STOR") == ["in/a.done"]
    assert commands(server, "RNTO") == []
    assert set(files(server)) == {row.final_name, "a.done"}


@pytest.mark.parametrize("fault", [{"cut": "before"}, {"cut": "after"}, {"reply": (452, "Full")}])
def test_a_done_file_that_fails_is_tried_again_without_the_file(server, supplier, fault):
    row = factories.delivery(supplier, done_name="a.done")
    server.faults.add("STOR", argument="a.done", **fault)
    run(supplier, rounds=2)
    assert outcome(row) == ("sent", "sent")
    assert len(commands(server, "RNTO")) == 1
    failed = DeliveryAttempt.objects.get(outcome="failed")
    assert failed.message.startswith("The file is in its place, but its done-file")


TAKEN = [(5, 1, "sent"), (5, 10, "uncertain"), (None, 1, "uncertain")]


@pytest.mark.parametrize(("minutes", "ago", "status"), TAKEN)
def test_both_gone_is_sent_only_where_files_are_taken_and_soon_after(server, supplier, minutes, ago, status):
    Endpoint.objects.update(taken_within_minutes=minutes)
    row = factories.delivery(supplier)
    at = timezone.now() - timedelta(minutes=ago)
    factories.killed(row, step="renaming", temporary_name="old.part", renaming_at=at)
    run(supplier)
    assert outcome(row)[0] == status


@pytest.mark.parametrize("how", ["cancelled", "held", "dead"])
def test_a_temporary_file_that_no_attempt_comes_back_for_is_removed(server, supplier, how):
    row = factories.killed(factories.delivery(supplier), step="uploading", temporary_name="old.part")
    other = factories.killed(factories.delivery(supplier), step="renaming", temporary_name="theirs.part", is_held=True)
    Delivery.objects.filter(pk=other.pk).update(status="uncertain")
    for name in ("old.part", "theirs.part"):
        (server.orders_folder / name).write_bytes(b"half")
    if how == "cancelled":
        orders.cancel(order=row.supplier_order.order, reason="fraud", by=None)
    else:
        Delivery.objects.filter(pk=row.pk).update(**({"is_held": True} if how == "held" else {"status": "dead"}))
    assert outbox.sweep() == 1
    run(supplier)
    assert set(files(server)) == {"theirs.part"}
    row.refresh_from_db()
    assert row.temporary_name == ""
    assert outbox.sweep() == 0


def test_a_leftover_that_may_not_be_removed_holds_up_nothing(server, supplier):
    factories.killed(
        factories.delivery(supplier), step="uploading", temporary_name="old.part", is_held=True, status="cancelled"
    )
    (server.orders_folder / "old.part").write_bytes(b"half")
    server.faults.add("DELE", reply=(550, "Not allowed"), times=None)
    row = factories.delivery(supplier)
    run(supplier)
    assert outcome(row) == ("sent", "sent")
    assert Endpoint.objects.get().attempts == 0


@pytest.fixture
def sent(server, supplier):
    """A file that was sent and that the supplier has taken away."""
    row = factories.delivery(supplier)
    part = row.supplier_order
    line = order_line(part.order)
    SupplierOrderLine.objects.create(supplier_order=part, order_line=line, quantity=1, ordered_then=1)
    run(supplier)
    (server.orders_folder / row.final_name).unlink()
    row.refresh_from_db()
    return row


def test_a_sent_file_goes_again_as_it_is(server, supplier, sent):
    person = User.objects.create_user("anna")
    first = sent.sent_at
    SupplierOrder.objects.update(status="accepted", replied_at=timezone.now())
    deliveries.send_again(delivery=sent, reason="They lost it", by=person)
    assert outcome(sent) == ("due", "")
    run(supplier)
    assert outcome(sent) == ("sent", "sent")
    assert files(server) == {sent.final_name: bytes(sent.document)}
    assert (sent.resends, sent.sent_at > first) == (1, True)
    part = SupplierOrder.objects.get()
    assert (part.status, part.attention) == ("accepted", "")
    outcomes = list(DeliveryAttempt.objects.values_list("outcome", flat=True))
    assert outcomes == ["sent", "resend", "sent"]
    message = DeliveryAttempt.objects.get(outcome="resend").message
    assert message == "Same document again, agreed with the supplier, asked by anna: They lost it"
    assert "They lost it" in part.order.events.get(kind="resend").text


def test_a_file_that_still_lies_there_is_not_sent_again(server, supplier, sent):
    (server.orders_folder / sent.final_name).write_bytes(bytes(sent.document))
    deliveries.send_again(delivery=sent, reason="They lost it", by=None)
    stored = len(commands(server, "STOR"))
    run(supplier)
    assert outcome(sent) == ("sent", "sent")
    assert len(commands(server, "STOR")) == stored
    assert "still lay in the folder" in DeliveryAttempt.objects.last().message


@pytest.mark.parametrize("fault", [("STOR", "before"), ("STOR", "after"), ("RNTO", "before"), ("RNTO", "after")])
def test_a_resend_that_is_cut_ends_with_the_file_there_once(server, supplier, sent, fault):
    arrived = []
    server.on_arrival = lambda path: path.suffix == ".xml" and arrived.append(path.name)
    server.faults.add(fault[0], cut=fault[1])
    deliveries.send_again(delivery=sent, reason="They lost it", by=None)
    run(supplier, rounds=3)
    assert outcome(sent) == ("sent", "sent")
    assert arrived == [sent.final_name]


def test_a_hold_of_the_order_keeps_a_file_that_waits_to_go_again(server, supplier, sent):
    order = sent.supplier_order.order
    Supplier.objects.update(amendments=Supplier.Amendments.PERSON)
    with pytest.raises(Refused, match="with its suppliers already"):
        orders.hold(order=order, reason="Wait", by=None)
    deliveries.send_again(delivery=sent, reason="They lost it", by=None)
    orders.hold(order=order, reason="They found it after all", by=None)
    run(supplier)
    assert (outcome(sent), files(server)) == (("due", ""), {})
    orders.release(order=order, reason="They did not", by=None)
    run(supplier)
    assert (outcome(sent), set(files(server))) == (("sent", "sent"), {sent.final_name})


def test_whoever_sends_again_reads_where_it_would_go(supplier, sent):
    assert "would go to" not in resending.what_they_have(sent)
    new = factories.endpoint()
    Supplier.objects.update(endpoint=new)
    told = resending.what_they_have(Delivery.objects.get())
    assert f"The same document would go to {sent.endpoint}; {supplier} uses {new} now" in told


def test_a_correction_is_a_new_revision(server, supplier, sent):
    newer = deliveries.send_correction(delivery=sent, reason="Wrong address", by=None)
    assert (newer.kind, newer.replaces, newer.revision) == ("revision", sent.supplier_order, 2)
    assert outcome(sent) == ("sent", "sent")
    assert newer.reference in DeliveryAttempt.objects.get(outcome="resend").message
    with pytest.raises(Refused, match="-2 is"):
        deliveries.send_correction(delivery=sent, reason="Again", by=None)


@pytest.mark.parametrize("service", [deliveries.send_again, deliveries.send_correction])
@pytest.mark.parametrize("how", ["redacted", "cancelled", "replaced", "due", "no reason"])
def test_what_cannot_be_sent_again_is_refused_and_left_alone(supplier, sent, service, how):
    if how == "redacted":
        Delivery.objects.update(redacted_at=timezone.now())
    elif how == "due":
        Delivery.objects.update(status="due")
    elif how != "no reason":
        SupplierOrder.objects.update(status=how)
    before = Delivery.objects.values().get(), SupplierOrder.objects.values().get()
    with pytest.raises(Refused):
        service(delivery=sent, reason="" if how == "no reason" else "Please", by=None)
    assert (Delivery.objects.values().get(), SupplierOrder.objects.values().get()) == before
    assert DeliveryAttempt.objects.count() == 1


def test_many_dead_letters_are_retried_in_batches_with_a_reason(supplier, monkeypatch):
    monkeypatch.setattr(deliveries, "BATCH", 10)
    rows = [factories.delivery(supplier, status="dead", attempts=12) for _ in range(25)]
    held = factories.delivery(supplier, status="dead", is_held=True)
    SupplierOrder.objects.update(attention="The file could not be delivered.")
    pks = list(Delivery.objects.values_list("pk", flat=True))
    with pytest.raises(Refused, match="reason"):
        deliveries.retry_many(deliveries=pks, reason=" ", by=None)
    assert deliveries.retry_many(deliveries=pks, reason="Disk is mended", by=None) == 25
    assert {(*outcome(row), row.attempts) for row in rows} == {("due", "", 0)}
    assert outcome(held) == ("dead", "")
    assert SupplierOrder.objects.exclude(attention="").count() == 1
    order = rows[0].supplier_order.order
    assert "Disk is mended" in order.events.get(kind="retry").text
    run(supplier)
    assert Delivery.objects.filter(status="sent").count() == 25


def test_a_delivery_that_breaks_hemi_itself_holds_up_no_other(server, supplier, monkeypatch):
    bad, *good = (factories.delivery(supplier) for _ in range(4))
    real = naming.final_path

    def broken(delivery):
        if delivery.pk == bad.pk:
            raise ZeroDivisionError
        return real(delivery)

    monkeypatch.setattr(naming, "final_path", broken)
    run(supplier)
    assert {outcome(row) for row in good} == {("sent", "sent")}
    assert outcome(bad)[0] == "due"
    assert bad.last_error == "Hemi failed: ZeroDivisionError."
    assert bad.claim_token == ""
