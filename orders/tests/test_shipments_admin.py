"""The pages of shipments: found, read, tried again and settled, and each refusal says why."""

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hemi.tests.one_of_each import order_line
from orders.models import BY_A_PERSON, Fulfilment, OrderEvent, Shipment
from suppliers.tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/shipment/"


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def made(status="blocked", **values):
    order = factories.order()
    line = order_line(order, title="Rain jacket")
    values = {
        "reference": f"HM{order.pk:06d}-NORTH-1",
        "quantities": {str(line.shopify_id): 2},
        "note": "On hold.",
    } | values
    return Shipment.objects.create(order=order, despatch=f"D-{order.pk}", status=status, **values)


def press(client, shipment, name, **data):
    answer = client.post(f"{LIST}{shipment.pk}/{name}/", {"_form_submitted": "on", **data})
    shipment.refresh_from_db()
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_the_list_asks_no_query_a_row(boss):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert boss.get(LIST).status_code == 200
        return len(captured)

    made()
    queries()
    before = queries()
    for _ in range(5):
        made("waiting", last_error="Shopify answered 502.")
    assert queries() == before


def test_a_shipment_is_found_by_its_supplier_order(boss):
    shipment, _ = made(), made()
    found = boss.get(LIST, {"q": shipment.reference[:12]}).context["cl"].result_list
    assert [row.pk for row in found] == [shipment.pk]


def test_the_page_and_the_order_say_what_stands_against_it(boss):
    shipment = made(note="2 × Rain jacket is on hold in the store.", numbers=["JJD1"])
    for url in (f"{LIST}{shipment.pk}/change/", f"/admin/orders/order/{shipment.order_id}/change/"):
        page = boss.get(url).content.decode()
        assert "2 × Rain jacket is on hold in the store." in page and "JJD1" in page
    assert "2 × Rain jacket" in boss.get(f"{LIST}{shipment.pk}/change/").content.decode()


def test_a_blocked_shipment_is_tried_again(boss):
    shipment = made()
    assert press(boss, shipment, "try_again") == ["The store is asked again within seconds."]
    assert shipment.status == "waiting"
    assert OrderEvent.objects.get(kind="tried_again").actor.username == "boss"


def test_a_shipment_is_settled_with_a_reason(boss):
    shipment = made()
    Fulfilment.objects.create(shipment=shipment, fulfillment_order_id=1, status="uncertain")
    assert "uncertain" in press(boss, shipment, "try_again")[0]
    press(boss, shipment, "settle", outcome="told")
    assert shipment.status == "blocked"  # no reason was given
    assert press(boss, shipment, "settle", outcome="told", reason="I looked.")[-1] == "The shipment is settled."
    assert (shipment.status, shipment.note) == ("told", f"{BY_A_PERSON}I looked.")
    assert set(shipment.fulfilments.values_list("status", flat=True)) == {"done"}


@pytest.mark.parametrize(
    ("status", "name", "words"),
    [
        ("told", "try_again", "told of this shipment already"),
        ("told", "settle", "told of this shipment already"),
        ("nothing", "try_again", "no store knows it"),
        ("waiting", "settle", "Hemi still tries by itself"),
        ("waiting", "try_again", "has no access token"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(boss, status, name, words):
    shipment = made(status)
    before = Shipment.objects.values_list().get()
    (told,) = press(boss, shipment, name, outcome="told", reason="Because.")
    assert words in told
    assert Shipment.objects.values_list().get() == before and not OrderEvent.objects.exists()


def test_who_may_only_look_presses_nothing(client):
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_shipment"))
    client.force_login(user)
    shipment = made()
    assert client.get(f"{LIST}{shipment.pk}/change/").status_code == 200
    assert client.post(f"{LIST}{shipment.pk}/try_again/", {"_form_submitted": "on"}).status_code == 403
    shipment.refresh_from_db()
    assert shipment.status == "blocked"
