"""After a restore: orders that came since the backup are fetched again, keep their references and go once."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from hemi.lib import journal_files
from hemi.lib.journal import Journal
from hemi.lib.thinning import Slice
from integrations.shopify import payloads
from orders import intake
from orders.models import Order
from orders.services import Refused
from orders.tests import bodies
from suppliers import journal, recall, rendering, retention, routing, waiting
from suppliers.models import Amendment, Delivery, DeliveryAttempt, Endpoint, Restoration, SentBefore, SupplierOrder
from suppliers.services import outboxes
from suppliers.tests import factories
from suppliers.tests.changes import changed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A journal of the test's own."""
    monkeypatch.setattr(journal, "_files", Journal(tmp_path / "sent", "sent", 60))
    return tmp_path / "sent"


def restore(folder, *, forget=(), mark="b-1"):
    """Leave the database as a restore of an earlier backup does: it knows nothing of `forget`."""
    for order in forget:
        for part in order.supplier_orders.all():
            Delivery.objects.filter(supplier_order=part).delete()
            part.lines.all().delete()
            part.delete()
        order.events.all().delete()
        order.lines.all().delete()
        order.delete()
    Endpoint.objects.update(closed_at=timezone.now())
    now = timezone.now()
    restoration = Restoration.objects.create(backup_id=mark, made_at=now - timedelta(hours=1), restored_at=now)
    last = recall.remember(restoration, [folder])
    restoration.save()
    return last, restoration


def reopened(endpoint_id):
    found = recall.settle(Endpoint.objects.get(pk=endpoint_id))
    Endpoint.objects.update(closed_at=None)
    return (found.sent, found.uncertain, found.due)


def fetched_again(account, body):
    """Take the order as reconciliation does, under another number than before."""
    for _ in range(5):
        factories.order(account=account)
    intake.store(account, payloads.parse_order(bodies.encode(body)))
    routing.route()
    rendering.render()
    return SupplierOrder.objects.get(order__shopify_id=body["id"])


def test_an_order_that_is_fetched_again_keeps_its_reference_and_is_known_as_sent(
    account, north, sends, body, folder, server
):
    journal.mark_backup("b-1")
    intake.store(account, payloads.parse_order(bodies.encode(body)))
    there = sends()
    former = SupplierOrder.objects.get()
    last, restoration = restore(folder, forget=[former.order])
    assert (last, restoration.is_journal_whole) == (former.order_id, True)
    part = fetched_again(account, body)
    assert part.order_id != former.order_id
    assert part.reference == former.reference
    assert reopened(north.endpoint_id) == (1, 0, 0)
    assert sends() == there
    assert len([entry for entry in server.log if entry.command == "RNTO"]) == 1
    part.refresh_from_db()
    assert part.status == SupplierOrder.Status.SENT
    assert "The journal says that it was sent" in DeliveryAttempt.objects.get().message


def test_one_that_changed_since_is_uncertain(account, north, sends, body, folder):
    journal.mark_backup("b-1")
    intake.store(account, payloads.parse_order(bodies.encode(body)))
    there = sends()
    restore(folder, forget=[Order.objects.get()])
    body["shipping_address"]["city"] = "Elsewhere"
    fetched_again(account, body)
    # Opened before it was fetched again: it is looked up all the same.
    Endpoint.objects.update(closed_at=None)
    assert sends() == there
    delivery = Delivery.objects.get()
    assert delivery.status == "uncertain"
    assert "with other contents" in delivery.last_error


def test_an_order_under_a_reference_that_was_another_ones_is_uncertain(supplier, folder, server):
    journal.mark_backup("b-1")
    row = factories.delivery(supplier)
    journal.before_renames([], [row])
    Order.objects.update(shopify_id=987654)
    restore(folder)
    assert reopened(supplier.endpoint_id) == (0, 1, 0)
    assert "another order went out under this reference" in Delivery.objects.get().last_error


def test_what_a_person_wants_sent_again_goes_once_more_unless_that_was_done(supplier, folder):
    journal.mark_backup("b-1")
    once, twice = factories.delivery(supplier), factories.delivery(supplier)
    journal.before_renames([], [once, twice])
    Delivery.objects.update(resends=1)
    twice.resends = 1
    journal.before_renames([], [twice])
    SupplierOrder.objects.update(status=SupplierOrder.Status.SENT)
    restore(folder)
    assert reopened(supplier.endpoint_id) == (1, 0, 1)
    states = dict(Delivery.objects.values_list("pk", "status"))
    assert states == {once.pk: "due", twice.pk: "sent"}


def test_a_closed_endpoint_says_so_everywhere_and_a_person_opens_it(client, supplier, folder, server):
    journal.mark_backup("b-1")
    row = factories.delivery(supplier)
    restore(folder)
    assert "A restore closed the outbox" in waiting.reason(Delivery.objects.get())
    client.force_login(User.objects.create_superuser("boss"))
    for page in (reverse("admin:index"), reverse("admin:orders_order_changelist")):
        assert "Restored from a backup: 1 outbox closed" in client.get(page).content.decode()
    url = reverse("admin:suppliers_endpoint_open_outbox", args=[supplier.endpoint_id])
    client.get(url)
    assert Endpoint.objects.get().closed_at
    told = client.post(url, {"_form_submitted": "on"}, follow=True).content.decode()
    assert "0 found as sent, 0 uncertain, 1 go out now." in told
    assert "Restored from a backup" not in told
    row.refresh_from_db()
    assert (row.status, row.attempts, row.claim_token) == ("due", 0, "")
    assert "No restore has closed its outbox." in client.post(url, follow=True).content.decode()


def test_a_journal_that_was_brought_from_a_lost_server_never_counts_as_whole(supplier, folder, tmp_path):
    journal.mark_backup("b-1")
    factories.delivery(supplier)
    there = tmp_path / "new-server"
    journal_files.copy(folder, there)
    _, first = restore(there)
    Journal(there, "sent", 60).append([{"what": "backup", "backup": "b-2"}])  # from now on it is written here
    Restoration.objects.all().delete()
    _, again = restore(there)
    assert "is a copy" in first.why_doubted and "is a copy" in again.why_doubted
    assert reopened(supplier.endpoint_id) == (0, 1, 0)


def test_a_journal_with_a_day_gone_is_doubted(supplier, folder):
    factories.delivery(supplier)
    journal.mark_backup("b-0")
    next(folder.glob("sent-*.log")).unlink()
    journal.mark_backup("b-1")
    _, restoration = restore(folder)
    assert "are missing" in restoration.why_doubted
    assert reopened(supplier.endpoint_id) == (0, 1, 0)


def test_a_revision_that_may_have_gone_before_is_doubted_and_a_later_one_is_not(supplier, folder):
    order = factories.order()
    restore(folder)
    part = factories.part(supplier, order=order, revision=2)
    row = factories.delivery(supplier, supplier_order=part)
    assert reopened(supplier.endpoint_id) == (0, 1, 0)
    Delivery.objects.update(status="due")
    Order.objects.update(shop_updated_at=timezone.now())
    assert reopened(supplier.endpoint_id) == (0, 0, 1)
    row.refresh_from_db()
    assert row.claim_token == ""


def test_no_outbox_opens_before_the_restore_is_finished(supplier, folder, server):
    row = factories.delivery(supplier)
    restore(folder)
    Restoration.objects.update(restored_at=timezone.now() - timedelta(days=1))  # of an earlier one
    with pytest.raises(Refused, match="not finished"):
        outboxes.open_outbox(endpoint=supplier.endpoint, by=None)
    row.refresh_from_db()
    assert (row.status, row.claim_token, Endpoint.objects.exclude(closed_at=None).count()) == ("due", "", 1)


def test_what_was_cancelled_while_closed_is_looked_up_all_the_same(account, north, sends, body, folder, take):
    journal.mark_backup("b-1")
    order = take(body)
    row = Delivery.objects.get()
    journal.before_renames([], [row])
    restore(folder)
    take(changed(body, cancelled_at="2026-11-20T12:00:00+01:00"))
    part = SupplierOrder.objects.get()
    assert (part.status, part.order.state) == ("ready", "cancelled")
    outboxes.open_outbox(endpoint=Endpoint.objects.get(), by=None)
    assert sends() == []
    part.refresh_from_db()
    assert part.status == "sent"
    assert Amendment.objects.get(supplier_order=part).is_cancellation
    assert f"tell {north}" in part.attention or "Send it on to" in part.attention
    assert order.events.filter(kind="too_late").exists()


def test_what_was_cancelled_while_closed_and_never_sent_is_cancelled_when_opened(
    account, north, sends, body, folder, take
):
    journal.mark_backup("b-1")
    take(body)
    restore(folder)
    take(changed(body, cancelled_at="2026-11-20T12:00:00+01:00"))
    outboxes.open_outbox(endpoint=Endpoint.objects.get(), by=None)
    assert sends() == []
    assert (SupplierOrder.objects.get().status, Delivery.objects.get().status) == ("cancelled", "cancelled")


@pytest.mark.parametrize("state", ["sent", "begun", "back"])
def test_a_cancelled_order_that_only_the_journal_knows_is_told_of(account, north, sends, body, folder, take, state):
    journal.mark_backup("b-1")
    order = take(body)
    row = Delivery.objects.get()
    (journal.before_renames([], [row]) if state == "sent" else journal.before_renames([row]))
    if state == "back":
        journal.not_sent(row)
    restore(folder, forget=[order])
    for _ in range(2):
        take(changed(body, cancelled_at="2026-11-20T12:00:00+01:00"))
    assert sends() == []
    if state == "back":
        assert not SupplierOrder.objects.exists()
        return
    part = SupplierOrder.objects.get()
    assert (part.reference, part.status) == (row.supplier_order.reference, "sent")
    assert ("may have been sent" in part.attention) == (state == "begun")
    assert Amendment.objects.get().is_cancellation


def test_the_journal_of_a_former_life_goes_with_its_orders(supplier, folder):
    old = timezone.now() - timedelta(days=4000)
    here, gone = factories.delivery(supplier), factories.delivery(supplier)
    journal.mark_backup("b-1")
    journal.before_renames([], [here, gone])
    restore(folder)
    SentBefore.objects.update(at=old)
    SupplierOrder.objects.filter(delivery=gone).update(reference="HM000000-OTHER-1")
    retention.thin(Slice())
    assert SentBefore.objects.get().reference == here.supplier_order.reference
