"""status.json: the documented shape, for the shopper's own browser, and few queries for many orders."""

import json
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hemi.tests.one_of_each import order_line
from orders.models import ShopperLink
from suppliers.models import SupplierOrder
from suppliers.shown_order import State
from suppliers.tests import factories, shoppers
from suppliers.tests.shoppers import Shopper

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "status-json.md"


@pytest.fixture
def shopline(db):
    account = shoppers.storefront()
    ShopperLink.objects.create(shopline=account, customer_id="7", email="ola@example.com", source="staff")
    return account


def example():
    return json.loads(re.search(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)[1])


def shape(said):
    """Return what kind of thing stands under which name, of lists what their things are like."""
    if isinstance(said, dict):
        return {name: shape(value) for name, value in said.items()}
    return [shape(said[0])] if isinstance(said, list) and said else type(said).__name__


def test_it_has_the_shape_that_is_documented(shopline):
    order = shoppers.order(shoppers.store(shopline))
    line = order_line(order)
    shoppers.shipped(shoppers.given(order, factories.supplier(), line, status=SupplierOrder.Status.SHIPPED), line)
    answer = Shopper(shopline, "7").get("status.json")
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "private, max-age=5"
    assert not answer.cookies
    assert shape(answer.json()) == shape(example())
    assert all(f"`{state.value}`" in DOCUMENT.read_text() for state in State)


def test_a_guest_gets_the_same_shape_without_orders(shopline):
    shoppers.order(shoppers.store(shopline))
    assert Shopper(shopline).get("status.json").json() == {
        "version": 1,
        "is_guest": True,
        "is_linked": False,
        "page": 1,
        "has_more": False,
        "orders": [],
    }
    said = Shopper(shopline, "8").get("status.json").json()
    assert (said["is_guest"], said["is_linked"], said["orders"]) == (False, False, [])


def test_a_script_gets_it_from_the_page_as_well_in_its_language(shopline):
    shoppers.order(shoppers.store(shopline))
    answer = Shopper(shopline, "7", "zh-TW").get("", accept="application/json")
    assert answer.json()["orders"][0]["state_text"] == "已收到訂單"
    assert answer.json() == Shopper(shopline, "7", "zh-TW").get("status.json").json()


def test_ten_orders_take_as_many_queries_as_one(shopline):
    shop = shoppers.store(shopline)
    counts = []
    for number in range(10):
        shoppers.mixed(shop, f"#{number}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(Shopper(shopline, "7").get("status.json").json()["orders"]) == number + 1
        counts.append(len(queries))
    assert len(set(counts)) == 1 and counts[0] <= 9
