"""The GraphQL client against a Shopify that throttles, fails and refuses."""

import logging
import threading
import time

import pytest

from integrations.shopify import answers, denials, pacing, queries
from integrations.shopify.client import GraphQL, Pace, Store
from integrations.shopify.errors import Denial, Kind, ShopifyError
from integrations.shopify.shapes import Node
from sandbox.shopify import ShopifySandbox

SCOPES = ["read_orders", "write_orders", "read_products", "read_locations"]
MANY = """
query HemiTestMany($after: String) {
  collections(first: 100, after: $after) {
    nodes { id products(first: 3) { nodes { id } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
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


def test_a_mutation_whose_time_is_over_is_never_sent(shopify):
    token = shopify.issue_token("client-1", "test", SCOPES)
    with with_deadline(shopify, 0, token) as client, pytest.raises(ShopifyError) as caught:
        client.execute(queries.SUBSCRIBE, SUBSCRIBE)
    assert caught.value.kind == Kind.TEMPORARY
    assert not shopify.state.subscriptions


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


def test_each_call_leaves_one_line_with_all_that_is_asked_of_it(client, caplog):
    with caplog.at_level(logging.INFO, logger="integrations"):
        client.execute(queries.SHOP)
    (line,) = [vars(record) for record in caplog.records if record.getMessage() == "shopify.call"]
    assert (line["account_name"], line["operation"], line["status"]) == ("test", "HemiShop", 200)
    assert line["cost"] > 0 and line["wait"] >= 0 and len(line["request_id"]) == 36


def test_a_call_that_reached_nobody_leaves_a_line_too(shopify, caplog):
    client = with_deadline(shopify, 0.5)
    shopify.stop()
    with caplog.at_level(logging.INFO, logger="integrations"), client, pytest.raises(ShopifyError):
        client.execute(queries.SHOP)
    line = next(vars(record) for record in caplog.records if record.getMessage() == "shopify.call")
    assert (line["account_name"], line["operation"], line["status"]) == ("test", "HemiShop", None)


def throttled(caplog):
    return [record for record in caplog.records if record.getMessage() == "shopify.waits"]


def test_what_is_known_of_the_bucket_is_waited_for_before_the_call(shopify, client, caplog):
    """After the first answers no call is refused any more: each waits for its points beforehand."""
    shopify.buckets.resize("client-1", "test", 1000, 500)
    with caplog.at_level(logging.INFO, logger="integrations"):
        for _ in range(2):
            assert len(list(client.nodes(queries.LOCATIONS, "locations"))) > 1
            assert len(list(client.nodes(MANY, "collections"))) == 230
    assert throttled(caplog) == []
    waits = [record.wait for record in caplog.records if record.getMessage() == "shopify.call"]
    assert max(waits) > 0.1


class TestBucket:
    """The points that a process knows of, by its own clock."""

    COST = answers.Cost(requested=100, actual=90, maximum=1000, available=0, restore_rate=500)

    def wish(self, seconds=5.0, interactive=False):
        return pacing.Wish("HemiMany", interactive, time.monotonic() + seconds)

    def emptied(self):
        bucket = pacing.Bucket()
        points, waited = bucket.take(self.wish())
        assert (points, waited < 0.05) == (0.0, True)  # nothing is known yet
        bucket.note("HemiMany", points, self.COST)
        return bucket

    def test_waits_as_long_as_the_points_need(self):
        bucket = self.emptied()
        points, waited = bucket.take(self.wish(interactive=True))
        assert points == 100
        assert 0.15 < waited < 0.5  # 100 points at 500 a second

    def test_leaves_a_share_to_people(self):
        _, waited = self.emptied().take(self.wish())
        assert 0.5 < waited < 1.0  # 300 points: its own and a fifth of the bucket

    def test_people_go_first(self):
        bucket, order = self.emptied(), []
        background = threading.Thread(target=lambda: (bucket.take(self.wish()), order.append("background")))
        background.start()
        for _ in range(3):
            bucket.take(self.wish(interactive=True))
            order.append("person")
        background.join()
        assert order == ["person", "person", "person", "background"]

    def test_waits_no_longer_than_the_call_may(self):
        _, waited = self.emptied().take(self.wish(seconds=0.1))
        assert waited < 0.3

    def test_a_call_that_is_dearer_than_the_bucket_goes_when_it_is_full(self):
        bucket = self.emptied()
        bucket.note("HemiMany", 0, answers.Cost(requested=5000, maximum=100, available=50, restore_rate=500))
        _, waited = bucket.take(self.wish())
        assert 0.05 < waited < 0.5

    def test_each_app_in_each_store_has_its_own(self):
        buckets = pacing.Buckets()
        assert buckets.of("a 1") is buckets.of("a 1") is not buckets.of("a 2")


def test_a_call_that_would_wait_too_long_is_given_up_unsent(shopify):
    token = shopify.issue_token("client-1", "test", SCOPES)
    with with_deadline(shopify, 10, token) as client:
        list(client.nodes(MANY, "collections"))
    shopify.buckets.resize("client-1", "test", 1000, 1)
    with with_deadline(shopify, 2, token) as client, pytest.raises(ShopifyError, match="busy") as caught:
        for _ in range(20):
            client.execute(MANY)
    assert caught.value.kind == Kind.TEMPORARY


@pytest.mark.parametrize(
    ("said", "denial"),
    [
        ("Access denied for orders field. Required access: `read_orders` access scope.", Denial.SCOPE),
        ("[API] This action requires merchant approval for read_orders scope.", Denial.SCOPE),
        ("This app is not approved to access the Order object. See https://shopify.dev/…", Denial.PROTECTED),
        ("This app is not approved to use the email field. See …/protected-customer-data", Denial.PROTECTED),
        ("Non-expiring access tokens are no longer accepted for the Admin API. Use …", Denial.TOKEN_KIND),
        ("Unavailable Shop", Denial.UNKNOWN),
    ],
)
def test_refusals_are_told_apart(said, denial):
    assert denials.read(said) == denial


@pytest.mark.parametrize(
    "fields", [{}, None, {"shop": None}, {"shop": {"id": 1}}, {"shop": {"id": "gid://shopify/Shop/x"}}, {"shop": []}]
)
def test_what_is_not_as_the_schema_says_is_the_one_error(fields):
    with pytest.raises(ShopifyError, match=r"HemiTest\.") as caught:
        Node("HemiTest", fields).node("shop").gid("id")
    assert caught.value.kind == Kind.PERMANENT


@pytest.mark.parametrize("data", [{}, {"x": None}, {"x": {"nodes": None, "pageInfo": {}}}, {"x": {"nodes": []}}])
def test_a_list_that_is_none_is_the_one_error(data):
    with pytest.raises(ShopifyError, match="no list of x"):
        answers.page(data, "x")
