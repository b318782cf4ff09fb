"""After a restore: orders that came since the backup are fetched again, keep their references and go once."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from hemi.lib.journal import Journal
from integrations.shopify import payloads
from orders import intake
from orders.models import Order
from orders.tests import bodies
from suppliers import journal, recall, rendering, routing, waiting
from suppliers.models import Delivery, DeliveryAttempt, Endpoint, Restoration, SupplierOrder
from suppliers.tests import factories

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
    return recall.remember(restoration, [folder]), restoration


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
