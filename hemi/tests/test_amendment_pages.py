"""What changed after a file was sent, as a person sees it and settles it in the admin."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from orders.models import OrderEvent
from suppliers.models import Amendment, SupplierOrder
from suppliers.tests import factories

ROWS = [
    {"line": 1, "what": "NW-1 Article, quantity", "before": "2", "after": "1"},
    {"line": None, "what": "Ship to, street", "before": "Łąkowa 1", "after": "Elsewhere 2 <b>"},
]


@pytest.fixture
def amendment(db):
    """A change of a sent part that waits for a person."""
    delivery = factories.delivery(factories.supplier(name="Northwind"), status="sent", step="sent")
    part = delivery.supplier_order
    SupplierOrder.objects.filter(pk=part.pk).update(status="sent", attention="Changed after its file was sent: …")
    return Amendment.objects.create(supplier_order=part, changes=ROWS)


@pytest.fixture
def staff(client, db):
    """A logged-in person who may see and settle changes."""
    person = User.objects.create_user("staff", is_staff=True)
    names = ["view_amendment", "settle_amendment", "view_supplierorder", "view_order"]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(person)
    return client


def page_of(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def press(client, row, name, **values):
    address = f"/admin/suppliers/amendment/{row.pk}/{name}/"
    return client.post(address, {"_form_submitted": "on", **values}, follow=True)


def test_the_change_is_shown_line_by_line_at_the_part_the_order_and_its_own_page(staff, amendment):
    part = amendment.supplier_order
    for row in (amendment, part, part.order):
        text = staff.get(page_of(row)).content.decode()
        assert "NW-1 Article, quantity" in text
        assert "Elsewhere 2 &lt;b&gt;" in text


def test_a_person_settles_it_with_a_reason(staff, amendment):
    press(staff, amendment, "settle", reason="Phoned them.")
    amendment.refresh_from_db()
    assert (amendment.status, amendment.reason, amendment.settled_by.username) == ("settled", "Phoned them.", "staff")
    assert SupplierOrder.objects.get().attention == ""
    assert OrderEvent.objects.get(kind="change_settled").actor.username == "staff"


def test_a_person_sends_the_whole_order_again(staff, amendment):
    press(staff, amendment, "send_revision", reason="Agreed.")
    amendment.refresh_from_db()
    assert (amendment.status, amendment.sent_as.kind) == ("sent", "revision")
    assert amendment.sent_as.replaces == amendment.supplier_order


def test_a_cancelled_part_is_sent_as_a_cancellation_and_never_whole(staff, amendment):
    Amendment.objects.update(is_cancellation=True)
    text = press(staff, amendment, "send_revision", reason="Agreed.").content.decode()
    assert "Nothing is left of this part" in text
    assert SupplierOrder.objects.count() == 1
    press(staff, amendment, "send_change", reason="Agreed.")
    assert SupplierOrder.objects.get(kind="cancellation").replaces == amendment.supplier_order


def test_what_is_on_its_way_already_is_not_sent_twice(staff, amendment):
    press(staff, amendment, "send_change", reason="Agreed.")
    press(staff, amendment, "send_change", reason="Again.")
    assert SupplierOrder.objects.count() == 2
