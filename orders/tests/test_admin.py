"""The pages of orders: found in every way, read without a query a row, and acted on by dialogs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hemi.tests.one_of_each import order_line
from integrations.models import AccountShopify
from orders.admin import search
from orders.models import Order, OrderEvent, OrderLine
from orders.services import Refused
from suppliers.models import Delivery, SupplierOrder, SupplierOrderLine
from suppliers.services import orders as supplier_services
from suppliers.tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def _numbers(response):
    return [order.number for order in response.context["cl"].result_list]


def _told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def _press(client, order, name, **data):
    return client.post(f"{LIST}{order.pk}/{name}/", {"_form_submitted": "on", **data})


def _full_order(supplier, **values):
    order = factories.order(**values)
    line = order_line(order, sku=f"NW-{order.pk}", routing=OrderLine.Routing.ROUTED)
    delivery = factories.delivery(supplier, supplier_order=factories.part(supplier, order=order))
    SupplierOrderLine.objects.create(supplier_order=delivery.supplier_order, order_line=line, quantity=1)
    return order


def test_an_order_is_found_by_each_of_its_names_and_once(boss):
    supplier = factories.supplier()
    wanted = _full_order(supplier, number="#4711", email="ola@example.com")
    order_line(wanted, sku="NW-TWICE"), order_line(wanted, sku="NW-TWICE-TOO")
    other = _full_order(supplier, number="#9999", email="somebody@example.com")
    part = wanted.supplier_orders.get()
    names = ["#4711", "4711", "47", "ola@example.com", "OLA@example.com", "ola@", "NW-TWICE", "nw-twice"]
    for term in [
        *names,
        part.reference,
        part.reference.lower(),
        part.delivery.final_name,
        part.delivery.final_name[:-4],
    ]:
        assert _numbers(boss.get(LIST, {"q": term})) == [wanted.number], term
    for term in ("4712", "11", "example.com", "%", "_", "NW-NOWHERE", "'"):
        assert _numbers(boss.get(LIST, {"q": term})) == [], term
    assert _numbers(boss.get(LIST, {"q": " "})) == [other.number, wanted.number]


def test_a_number_is_found_by_its_digits_whatever_stands_before_them(boss):
    for number in ("->1003", "#1003", "1003"):
        factories.order(number=number)
    assert _numbers(boss.get(LIST, {"q": "1003"})) == ["1003", "#1003", "->1003"]
    assert _numbers(boss.get(LIST, {"q": "->1003"})) == ["->1003"]


def test_a_mail_address_and_a_sku_are_found_in_whatever_case(boss):
    supplier = factories.supplier()
    wanted = _full_order(supplier, number="#1", email="Eva.Quast@Example.com")
    wanted.lines.update(sku="NW-aB-1")
    _full_order(supplier, number="#2", email="eva.other@example.com")
    for term in ("eva.quast@example.COM", "EVA.QUAST", "Eva.Quast@Example.com", "nw-ab", "NW-AB-1", "NW-aB-1"):
        assert _numbers(boss.get(LIST, {"q": term})) == ["#1"], term


def test_a_search_reads_no_table_from_end_to_end(boss):
    found = search.find(Order.objects.all(), "4711").order_by("-pk")[:50]
    plan = found.explain()
    if connection.vendor == "sqlite":
        scans = [row for row in plan.splitlines() if "SCAN" in row and "USING" not in row and "SUBQUERY" not in row]
        assert not scans, plan
    else:  # an empty table is always scanned: forbid it, and see that there is another way
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "Seq Scan" not in found.explain(), found.explain()


def test_orders_are_filtered_by_state_account_supplier_attention_and_day(boss):
    supplier, other = factories.supplier(), factories.supplier()
    day = datetime(2026, 3, 5, 23, 59, tzinfo=UTC)
    wanted = _full_order(supplier, number="#1", placed_at=day, state=Order.State.HELD, attention="1 line goes nowhere.")
    _full_order(other, number="#2", placed_at=day + timedelta(minutes=2))
    SupplierOrder.objects.filter(order=wanted).update(attention="Look at this.")
    for query in (
        {"state__exact": "held"},
        {"account__id__exact": wanted.account_id},
        {"supplier": supplier.pk},
        {"attention": "lines"},
        {"attention": "parts"},
        {"placed_at_from": "2026-03-05", "placed_at_to": "2026-03-05"},
        {"placed_at_to": "2026-03-05"},
    ):
        assert _numbers(boss.get(LIST, query)) == ["#1"], query
    assert _numbers(boss.get(LIST, {"placed_at_from": "2026-03-06"})) == ["#2"]
    for nonsense in ({"placed_at_from": "soon"}, {"supplier": "x"}, {"attention": "x"}):
        assert len(_numbers(boss.get(LIST, nonsense))) == 2, nonsense


def test_the_list_and_the_page_ask_the_same_questions_for_one_row_as_for_fifty(boss):
    def queries(url):
        boss.get(url)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert boss.get(url).status_code == 200
        return len(captured)

    supplier = factories.supplier()
    order = _full_order(supplier)
    page = f"{LIST}{order.pk}/change/"
    one_row, one_line = queries(LIST), queries(page)
    for _ in range(49):
        _full_order(factories.supplier())
        line = order_line(order)
        part = factories.delivery(supplier, supplier_order=factories.part(factories.supplier(), order=order))
        SupplierOrderLine.objects.create(supplier_order=part.supplier_order, order_line=line, quantity=1)
        OrderEvent.objects.create(order=order, kind="seen", text="Seen.", actor=User.objects.get())
    assert queries(LIST) == one_row
    assert queries(page) == one_line


def test_the_list_never_counts(boss):
    _full_order(factories.supplier())
    with CaptureQueriesContext(connection) as captured:
        boss.get(LIST)
    assert not [query["sql"] for query in captured if "COUNT(" in query["sql"]]


def test_the_page_shows_lines_parts_and_what_happened(boss):
    order = _full_order(factories.supplier(name="Northwind"), customer_name="Zoë <b>", is_test=True)
    line = order.lines.get()
    OrderLine.objects.filter(pk=line.pk).update(routing="unrouted", routing_note="No rule takes it.")
    OrderEvent.objects.create(order=order, kind="received", text="Received from the store.")
    page = boss.get(f"{LIST}{order.pk}/change/").content.decode()
    part = order.supplier_orders.get()
    for text in (
        "Northwind",
        part.reference,
        part.delivery.final_name,
        "No rule takes it.",
        "Received from the store.",
    ):
        assert text in page
    assert "Zoë &lt;b&gt;" in page and "Zoë <b>" not in page


def test_hold_asks_for_a_reason_stops_the_file_and_is_told_on_the_timeline(boss):
    order = _full_order(factories.supplier())
    response = _press(boss, order, "hold", reason="")
    assert "Give a reason" in response.content.decode() and not Order.objects.get().held_at
    assert _told(_press(boss, order, "hold", reason="Wait for the customer")) == ["The order is on hold."]
    order.refresh_from_db()
    assert order.held_at and Delivery.objects.get().is_held
    event = order.events.get(kind="held")
    assert event.text == "Put on hold: Wait for the customer" and event.actor.username == "boss"


def test_a_second_hold_is_refused_with_the_sentence_that_the_page_shows(boss):
    order = _full_order(factories.supplier(), held_at=datetime.now(UTC), hold_reason="First", state=Order.State.HELD)
    sentence = "The order is on hold already."
    assert f'title="{sentence}"' in boss.get(f"{LIST}{order.pk}/change/").content.decode()
    assert _told(_press(boss, order, "hold", reason="Second")) == [sentence]
    order.refresh_from_db()
    assert order.hold_reason == "First" and not order.events.exists()


def test_cancel_cannot_be_undone_and_the_file_never_goes(boss):
    order = _full_order(factories.supplier())
    assert _told(_press(boss, order, "cancel", reason="Asked for by the client")) == ["The order is cancelled."]
    assert Delivery.objects.get().status == Delivery.Status.CANCELLED
    assert order.supplier_orders.get().status == SupplierOrder.Status.CANCELLED


def test_an_order_that_is_sent_in_full_is_neither_held_nor_cancelled(boss):
    order = _full_order(factories.supplier())
    order.supplier_orders.update(status=SupplierOrder.Status.ACCEPTED)
    Delivery.objects.update(status=Delivery.Status.SENT, step=Delivery.Step.SENT)
    sentence = "Everything of this order is with its suppliers already; tell them directly."
    assert boss.get(f"{LIST}{order.pk}/change/").content.decode().count(f'title="{sentence}"') == 2
    for name in ("hold", "cancel"):
        assert _told(_press(boss, order, name, reason="Too late"))[-1] == sentence
        with pytest.raises(Refused, match=sentence):
            getattr(supplier_services, name)(order=order, reason="Too late", by=None)
    order.refresh_from_db()
    assert (order.held_at, order.stopped_at, order.events.count()) == (None, None, 0)
    order_line(order)  # a line that nobody has can still be stopped
    assert _told(_press(boss, order, "hold", reason="Wait"))[-1] == "The order is on hold."


def test_free_lines_are_sent_to_a_supplier_by_hand(boss):
    order, supplier = factories.order(paid_at=datetime.now(UTC)), factories.supplier()
    AccountShopify.objects.update(orders_from=datetime(2020, 1, 1, tzinfo=UTC))
    free, taken = order_line(order), order_line(order)
    factories.supplier(mode="test", name="Still testing")
    dialog = boss.get(f"{LIST}{order.pk}/send_to_supplier/").content.decode()
    assert supplier.name in dialog and "Still testing" not in dialog  # a real order
    response = _press(boss, order, "send_to_supplier", supplier=supplier.pk, lines=[free.pk])
    assert _told(response) == [f"The lines go to {supplier}."]
    part = order.supplier_orders.get()
    assert [line.order_line for line in part.lines.all()] == [free]
    order.refresh_from_db()
    assert order.state == Order.State.READY
    again = _press(boss, order, "send_to_supplier", supplier=supplier.pk, lines=[free.pk, taken.pk])
    assert "not one of the available choices" in again.content.decode()
    assert SupplierOrderLine.objects.count() == 1


def test_the_list_releases_from_the_filter_row_by_row(boss):
    filtered, going = factories.order(number="#1", state=Order.State.FILTERED), factories.order(number="#2")
    for order in (filtered, going):
        order_line(order)
    data = {"action": "lift_filters", "_selected_action": [filtered.pk, going.pk]}
    told = _told(boss.post(LIST, data))
    assert told[0] == "1 released from the source name filter."
    assert told[1].endswith("The source name filter does not hold this order back.")
    filtered.refresh_from_db(), going.refresh_from_db()
    assert filtered.is_filter_lifted and not going.is_filter_lifted


def test_the_right_to_hold_is_not_the_right_to_route(client):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_order", "hold_order"]))
    client.force_login(clerk)
    order = _full_order(factories.supplier())
    page = client.get(f"{LIST}{order.pk}/change/").content.decode()
    assert f"{order.pk}/hold/" in page and f"{order.pk}/route_again/" not in page
    assert _press(client, order, "route_again").status_code == 403
    assert _press(client, order, "hold", reason="May do that").status_code == 302
    order.refresh_from_db()
    assert order.held_at and not order.events.filter(kind="route_again").exists()
