"""The front page: what needs a person, capped counts, only what this person may see."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hemi import front_page
from hemi.tests.one_of_each import order_line
from integrations.models import AccountShopify, StaffAlert
from orders.models import Order, Shipment
from suppliers.models import Amendment, Delivery, Endpoint, Supplier, SupplierOrder, SupplierReply
from suppliers.tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def _needs(client):
    return {need["title"]: need for need in client.get("/admin/").context["needs"]}


def _today(client):
    return {item["title"]: item["count"] for item in client.get("/admin/").context["today"]}


def _trouble():
    """Make one of everything that needs a person."""
    supplier = factories.supplier()
    order = factories.order(attention="1 line goes to no supplier yet.")
    order_line(order, routing="unrouted")
    Shipment.objects.create(order=order, reference="HM1-A-1", despatch="D-1", status=Shipment.Status.BLOCKED)
    factories.order(state=Order.State.FILTERED)
    factories.part(supplier, status=SupplierOrder.Status.BLOCKED, attention="It cannot be made.")
    factories.part(supplier, status=SupplierOrder.Status.REJECTED, attention="North rejected it.")
    factories.part(supplier, status=SupplierOrder.Status.REJECTED)  # somebody has dealt with it
    changed = factories.part(supplier, status=SupplierOrder.Status.SENT, attention="The order changed.")
    Amendment.objects.create(supplier_order=changed, is_cancellation=True)
    factories.part(supplier, status=SupplierOrder.Status.SENT, reply_due_at=timezone.now())
    factories.delivery(supplier, status=Delivery.Status.DEAD)
    factories.delivery(supplier, status=Delivery.Status.UNCERTAIN)
    now = timezone.now()
    factories.endpoint(stopped_at=now, host="ftp.far.example", is_plain_accepted=True)
    factories.endpoint(closed_at=now)
    factories.supplier(paused_at=now)
    AccountShopify.objects.create(shop_name="broken", webhooks=AccountShopify.Webhooks.FAILED, paused_at=now)
    StaffAlert.objects.create(kind="endpoint_stopped", key="1", subject="Stopped", text="Look.")
    SupplierReply.objects.create(
        endpoint=supplier.endpoint, file_name="R.xml", sha256="0" * 64, size=1, content=b"x", status="unreadable"
    )


def test_when_all_is_well_it_says_so(boss):
    factories.delivery(factories.supplier(), status=Delivery.Status.SENT, sent_at=timezone.now())
    assert "Nothing needs attention." in boss.get("/admin/").content.decode()


def test_each_kind_of_trouble_is_listed_with_a_list_that_holds_it(boss):
    _trouble()
    needs = _needs(boss)
    orders_and_suppliers = {
        need.title for need in front_page.NEEDS if need.model._meta.app_label in ("orders", "suppliers")
    }
    assert orders_and_suppliers <= set(needs)
    for title in orders_and_suppliers:
        assert needs[title]["count"] == "1", title
        found = boss.get(needs[title]["link"])
        assert found.status_code == 200, title
        if title != "Endpoints in plain FTP":  # that list shows every active endpoint, and which are not protected
            assert len(found.context["cl"].result_list) == 1, title


def test_a_store_that_refuses_hemi_is_listed(boss):
    AccountShopify.objects.create(shop_name="refused", problem=AccountShopify.Problem.PROTECTED)
    AccountShopify.objects.create(shop_name="well")
    need = _needs(boss)["Stores whose API refuses Hemi"]
    assert need["count"] == "1"
    assert [row.shop_name for row in boss.get(need["link"]).context["cl"].result_list] == ["refused"]


def test_no_link_of_any_need_leads_to_an_error(boss):
    _trouble()
    for need in [*_needs(boss).values(), *boss.get("/admin/").context["today"]]:
        assert boss.get(need["link"]).status_code == 200


def test_a_count_ends_at_its_cap(boss, monkeypatch):
    monkeypatch.setattr(front_page, "MOST", 3)
    supplier = factories.supplier()
    for _ in range(3):
        factories.delivery(supplier, status=Delivery.Status.DEAD)
    assert _needs(boss)["Deliveries given up"]["count"] == "3"
    factories.delivery(supplier, status=Delivery.Status.DEAD)
    assert _needs(boss)["Deliveries given up"]["count"] == "3+"
    with CaptureQueriesContext(connection) as captured:
        boss.get("/admin/")
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
    assert counts and all("LIMIT" in sql for sql in counts)


def test_today_counts_what_came_went_and_waits(boss):
    supplier = factories.supplier()
    yesterday = timezone.now() - timezone.timedelta(days=1)
    factories.delivery(supplier)
    factories.delivery(supplier, status=Delivery.Status.SENT, sent_at=timezone.now())
    factories.delivery(supplier, status=Delivery.Status.SENT, sent_at=yesterday)
    Order.objects.filter(pk=Order.objects.first().pk).update(placed_at=yesterday)
    today = _today(boss)
    assert (today["Orders placed"], today["Files sent"], today["Files waiting"]) == ("2", "1", "1")


def test_a_person_sees_only_what_that_person_may(client):
    _trouble()
    clerk = User.objects.create_user("clerk", is_staff=True)
    client.force_login(clerk)
    page = client.get("/admin/")
    assert "may not see anything yet" in page.content.decode() and not page.context["needs"]
    assert "Deliveries" not in page.content.decode()
    clerk.user_permissions.set(Permission.objects.filter(codename="view_endpoint"))
    assert set(_needs(client)) == {
        "Stopped endpoints",
        "Outboxes that a restore closed",
        "Endpoints in plain FTP",
    }
    assert _today(client) == {}
    assert Endpoint.objects.exists() and Supplier.objects.exists()
