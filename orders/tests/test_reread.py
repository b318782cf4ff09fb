"""The same order by webhook and by GraphQL is one and the same, and ties are settled by the store."""

import json

import pytest

from integrations.models import AccountShopify
from integrations.shopify import payloads
from integrations.shopify.client import REPEATS
from orders import intake, reread
from orders.models import Order
from sandbox.shopify import VARIANTS, ShopifySandbox

SCOPES = ["read_orders", "read_products", "read_customers"]


@pytest.fixture
def store():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "secret-of-the-app", [])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def connected(account: AccountShopify, store, settings):
    settings.SHOPIFY_SHOP_URL = store.shop_url_template
    account.access_token = store.issue_token("client", "test", SCOPES)
    account.save(update_fields=["access_token"])
    return account


def as_snapshot(body):
    return payloads.parse_order(json.dumps(body).encode())


@pytest.mark.parametrize("variant", VARIANTS)
def test_both_wires_give_the_same_order(connected, store, variant):
    body = store.place_order("test", variant=variant, announce=False)
    by_webhook = as_snapshot(body)
    order = intake.store(connected, by_webhook)
    by_graphql = reread.read(order)
    differences = {
        name: (getattr(by_webhook, name), getattr(by_graphql, name))
        for name in by_webhook.__dataclass_fields__
        if name != "lines" and getattr(by_webhook, name) != getattr(by_graphql, name)
    }
    assert differences == {}
    assert by_graphql.content_hash == by_webhook.content_hash


def tie(connected, store):
    body = store.place_order("test", announce=False, note="the last word")
    intake.store(connected, as_snapshot({**body, "note": "not the last word"}))
    intake.store(connected, as_snapshot({**body, "note": "nor this"}))
    return Order.objects.get()


def test_a_tie_is_settled_by_the_store(connected, store):
    assert tie(connected, store).needs_reread
    assert reread.reread() == 1
    order = Order.objects.get()
    assert (order.needs_reread, order.needs_routing, order.note) == (False, True, "the last word")


def test_orders_of_a_store_that_did_not_answer_share_its_answer(connected, store):
    tie(connected, store)
    body = store.place_order("test", announce=False)
    for note in ("one", "two"):
        intake.store(connected, as_snapshot({**body, "note": note}))
    store.add_fault("500", 1 + REPEATS)
    assert reread.reread() == 2
    assert Order.objects.filter(needs_reread=True, attempts=1).count() == 2  # the store would answer now


def test_a_store_that_does_not_answer_holds_an_order_up_for_seconds_only(connected, store):
    store.add_fault("401", 99)
    tie(connected, store)
    for _ in range(reread.TRIES):
        Order.objects.update(next_attempt_at="2026-01-01T00:00Z")
        reread.reread()
    order = Order.objects.get()
    assert (order.needs_reread, order.needs_routing) == (False, True)
    assert order.events.filter(kind="not_reread").exists()
