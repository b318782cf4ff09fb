"""Replies that do not come in time: listed, told once for each supplier, taken back when they come."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import StaffAlert
from suppliers import outbox, overdue
from suppliers.models import Delivery, SupplierOrder
from suppliers.tests import factories
from suppliers.tests.test_replies import apply, document, receive

pytestmark = pytest.mark.django_db(transaction=True)


def late(supplier, **values):
    defaults = {"status": SupplierOrder.Status.SENT, "reply_due_at": timezone.now() - timedelta(minutes=1)}
    part = factories.part(supplier, **{**defaults, **values})
    factories.delivery(supplier, supplier_order=part, status=Delivery.Status.SENT)
    return part


def alerts():
    return list(StaffAlert.objects.filter(cleared_at=None).values_list("kind", "key"))


def test_the_time_is_set_when_the_file_is_sent(server):
    supplier = factories.supplier(endpoint=factories.endpoint(server), reply_hours=6)
    row = factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    part = row.supplier_order
    part.refresh_from_db()
    assert part.reply_due_at - part.sent_at == timedelta(hours=6)
    other = factories.delivery(factories.supplier(endpoint=factories.endpoint(server, username="other")))
    assert other.supplier_order.reply_due_at is None


def test_staff_are_told_once_for_each_supplier():
    north, sued = factories.supplier(name="North", reply_hours=2), factories.supplier(name="Sued", reply_hours=2)
    parts = [late(north), late(north), late(sued)]
    late(north, reply_due_at=timezone.now() + timedelta(hours=1))
    late(north, status=SupplierOrder.Status.CANCELLED)
    assert overdue.tell() == 3
    assert sorted(alerts()) == sorted([("replies_overdue", str(north.pk)), ("replies_overdue", str(sued.pk))])
    text = StaffAlert.objects.get(key=str(north.pk)).text
    assert parts[0].reference in text and parts[1].reference in text and "within 2 hours" in text
    assert overdue.tell() == 0
    assert StaffAlert.objects.count() == 2


def test_the_alert_is_over_when_the_last_reply_came():
    supplier = factories.supplier(reply_hours=2)
    first, second = late(supplier), late(supplier)
    overdue.tell()
    for part, still in ((first, 1), (second, 0)):
        apply(receive(supplier.endpoint, document(part.reference, "taken"), file_name=part.reference))
        overdue.tell()
        assert len(alerts()) == still
    assert not overdue.rows().exists()


def test_the_list_shows_them(admin_client):
    supplier = factories.supplier(reply_hours=2)
    part, other = late(supplier), late(supplier, reply_due_at=None)
    page = admin_client.get("/admin/suppliers/supplierorder/?reply=overdue").content.decode()
    assert part.reference in page and other.reference not in page
    assert "Overdue" in admin_client.get(f"/admin/suppliers/supplierorder/{part.pk}/change/").content.decode()
