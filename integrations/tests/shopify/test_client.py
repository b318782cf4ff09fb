"""The GraphQL client against a Shopify that throttles, fails and refuses."""

import logging
import time

import pytest

from integrations.shopify import queries
from integrations.shopify.client import GraphQL, Pace, Store
from integrations.shopify.errors import Kind, ShopifyError
from sandbox.shopify import ShopifySandbox

SCOPES = ["read_orders", "write_orders", "read_products", "read_locations"]
SUBSCRIBE = {"topic": "ORDERS_CREATE", "uri": "https://hemi.test/w/"}


@pytest.fixture
def shopify():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client-1", "hush")
        sandbox.add_shop("test", collections=230)
        yield sandbox


@pytest.fixture
def client(shopify):
    token = shopify.issue_token("client-1", "test", SCOPES)
    with with_deadline(shopify, 10, token) as client:
        yield client


def with_deadline(shopify, seconds, token="none"):
    return GraphQL(Store(f"{shopify.url}/shops/test", "2026-10", "test", "client-1"), token, pace=Pace(seconds))


def test_reads_and_logs_what_it_costs_without_the_token(client, caplog):
    with caplog.at_level(logging.DEBUG, logger="integrations"):
        assert client.execute(queries.SHOP)["shop"]["myshopifyDomain"] == "test.myshopify.com"
    (line,) = [record for record in caplog.records if record.getMessage() == "shopify.call"]
    assert (line.operation, line.status, line.cost > 0) == ("HemiShop", 200, True)
    assert "shpat_" not in str(vars(line))


def test_reads_every_page(client):
    nodes = list(client.nodes(queries.COLLECTIONS, "collections"))
    assert len({node["legacyResourceId"] for node in nodes}) == len(nodes) == 230


@pytest.mark.parametrize("kind", ["429", "500", "502", "throttled", "timeout", "lost"])
def test_a_query_gets_over_trouble(shopify, client, kind, monkeypatch):
    monkeypatch.setattr("integrations.shopify.client.READ_SECONDS", 0.5)
    shopify.add_fault(kind)
    assert client.execute(queries.SHOP)


def test_throttling_is_waited_out_for_as_long_as_the_bucket_needs(shopify, client):
    shopify.buckets.resize("client-1", "test", 500, 400)
    started = time.monotonic()
    assert len(list(client.nodes(queries.COLLECTIONS, "collections"))) == 230
    assert time.monotonic() - started < 9


def test_throttling_ends_at_the_deadline(shopify):
    token = shopify.issue_token("client-1", "test", SCOPES)
    shopify.add_fault("throttled", count=50)
    started = time.monotonic()
    with with_deadline(shopify, 1.5, token) as client, pytest.raises(ShopifyError, match="busy") as caught:
        client.execute(queries.SHOP)
    assert caught.value.kind == Kind.TEMPORARY
    assert time.monotonic() - started < 3


def test_a_query_is_given_up_after_a_few_failures(shopify, client):
    shopify.add_fault("500", count=4)
    with pytest.raises(ShopifyError) as caught:
        client.execute(queries.SHOP)
    assert (caught.value.kind, caught.value.status) == (Kind.TEMPORARY, 500)
    assert client.execute(queries.SHOP)  # all four faults were met


@pytest.mark.parametrize("kind", ["500", "502", "lost", "timeout"])
def test_a_mutation_that_may_have_been_done_is_not_repeated(shopify, client, kind, monkeypatch):
    monkeypatch.setattr("integrations.shopify.client.READ_SECONDS", 0.5)
    shopify.add_fault(kind)
    with pytest.raises(ShopifyError) as caught:
        client.execute(queries.SUBSCRIBE, SUBSCRIBE)
    assert caught.value.kind == Kind.UNCERTAIN
    assert len(shopify.state.subscriptions) <= 1


def test_a_throttled_mutation_was_not_run_and_is_sent_again(shopify, client):
    shopify.add_fault("throttled")
    client.execute(queries.SUBSCRIBE, SUBSCRIBE)
    assert len(shopify.state.subscriptions) == 1


def test_errors_inside_a_200(shopify, client):
    shopify.add_fault("access_denied")
    with pytest.raises(ShopifyError) as caught:
        list(client.nodes(queries.LOCATIONS, "locations"))
    assert caught.value.kind == Kind.FORBIDDEN


def test_user_errors(shopify, client):
    shopify.add_fault("user_errors")
    with pytest.raises(ShopifyError, match="Shopify refused: ") as caught:
        client.execute(queries.SUBSCRIBE, SUBSCRIBE)
    assert caught.value.kind == Kind.PERMANENT
    assert caught.value.request_id


def test_a_document_that_shopify_does_not_know(client):
    with pytest.raises(ShopifyError) as caught:
        client.execute("query HemiNothing { nothingLikeThis }")
    assert caught.value.kind == Kind.PERMANENT


def test_a_refused_token(shopify):
    with with_deadline(shopify, 5, "shpat_revoked") as client, pytest.raises(ShopifyError) as caught:
        client.execute(queries.SHOP)
    assert caught.value.kind == Kind.UNAUTHORISED
    assert "shpat_revoked" not in str(caught.value)


def test_a_store_that_cannot_be_reached(shopify):
    client = with_deadline(shopify, 1)
    shopify.stop()
    with client, pytest.raises(ShopifyError, match="could not be reached") as caught:
        client.execute(queries.SHOP)
    assert caught.value.kind == Kind.TEMPORARY
