"""The whole way of an order as its shoppers see it: webhook, file, confirmation, parcel, and forgotten at the end."""

import json
import re

import pytest

from hemi.tests import searching
from hemi.tests.test_privacy import (
    CUSTOMER,
    EMAIL,
    WORDS,
    account,  # noqa: F401 - fixtures
    deliver,
    fetch,
    person,
    send,
    server,  # noqa: F401
    supplier,  # noqa: F401
    wish,
)
from integrations import privacy
from integrations.models import AccountShopify, PrivacyRequest
from orders.models import Order, ShopperLink
from sandbox.supplier_documents import Despatch, Verdict, reply_document
from suppliers import replies
from suppliers.tests import shoppers
from suppliers.tests.shoppers import Shopper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shopline(account):  # noqa: F811
    return shoppers.storefront(client=account.client)


def steps(page):
    """Return where each part of each order is."""
    assert page.status_code == 200
    return re.findall(r'aria-current="step">([^<]*)<', page.content.decode())


def test_guest_and_customer_follow_an_order_to_its_parcel(client, account, supplier, server, shopline):  # noqa: F811
    body = person(name="#4711")
    send(client, account, body)
    guest, customer = Shopper(shopline), Shopper(shopline, "shopline-9")
    assert steps(customer.get()) == []
    assert steps(customer.ask("4711", EMAIL)) == ["Received"]

    def seen():
        found = {*steps(guest.ask("#4711", EMAIL)), *steps(customer.get())}
        assert len(found) == 1
        return found.pop()

    assert seen() == "Received"
    deliver()
    assert seen() == "Sent to the maker"
    part = Order.objects.get().supplier_orders.get()
    said = Despatch("D-1", "DHL Express", ("JJD1",), ("https://track.example/JJD1",))
    for verdict, step in (
        (Verdict("accepted"), "Confirmed by the maker"),
        (Verdict("shipped", despatch=said), "Shipped"),
    ):
        fetch(server, supplier, reply_document(part.reference, "NW-9", verdict))
        replies.apply_replies()
        assert seen() == step
    text = customer.get().content.decode()
    assert '<a href="https://track.example/JJD1" rel="noopener noreferrer">Track JJD1</a>' in text
    assert "Northwind" not in text and part.reference not in text


def linked(shopline, account):  # noqa: F811
    """Link three customers: by asking, by staff, and one of another address who is nobody's business."""
    assert "Order #4711" in Shopper(shopline, "asked").ask("#4711", EMAIL).content.decode()
    more = {"shopline": shopline, "source": ShopperLink.Source.STAFF}
    ShopperLink.objects.create(customer_id="staff", email=EMAIL.upper(), **more)
    ShopperLink.objects.create(
        customer_id="by-id", email="else@example.org", account=account, shopify_customer_id=CUSTOMER, **more
    )
    ShopperLink.objects.create(customer_id="other", email="other@example.com", **more)


@pytest.mark.parametrize("topic", ["customers/redact", "shop/redact"])
def test_who_is_forgotten_is_linked_no_more(client, account, supplier, server, shopline, topic):  # noqa: F811
    body = person(name="#4711")
    send(client, account, body)
    deliver()
    linked(shopline, account)
    is_store = topic == "shop/redact"
    said = (
        {"shop_id": account.shopify_shop_id, "shop_domain": account.domain} if is_store else wish(account, body["id"])
    )
    AccountShopify.objects.update(access_token="")
    send(client, account, said, topic)
    privacy.work()
    assert searching.in_rows([*WORDS, "else@example.org"]) == []
    assert list(ShopperLink.objects.values_list("customer_id", flat=True)) == ["other"]
    assert "3 linked shoppers" in PrivacyRequest.objects.get().report
    for shopper in (Shopper(shopline, "asked"), Shopper(shopline, "by-id"), Shopper(shopline)):
        assert "4711" not in shopper.get().content.decode()
        assert steps(shopper.ask("#4711", EMAIL)) == [] and not ShopperLink.objects.filter(email=EMAIL).exists()


def test_who_asks_is_told_of_the_link(client, account, supplier, server, shopline):  # noqa: F811
    body = person(name="#4711")
    send(client, account, body)
    deliver()
    linked(shopline, account)
    send(client, account, wish(account, body["id"], topic="customers/data_request"), "customers/data_request")
    privacy.work()
    said = json.loads(bytes(PrivacyRequest.objects.get().answer))
    rows = [row for part in json_lists(said, "linked_shoppers") for row in part]
    assert sorted(row["customer_id"] for row in rows) == ["asked", "by-id", "staff"]


def json_lists(said, name):
    """Return every list of that name, wherever it stands."""
    if isinstance(said, list):
        return [found for value in said for found in json_lists(value, name)]
    if not isinstance(said, dict):
        return []
    own = [said[name]] if isinstance(said.get(name), list) else []
    return own + [found for key, value in said.items() if key != name for found in json_lists(value, name)]
