from collections import Counter

import pytest
import requests

from sandbox.shopify import ShopifySandbox
from sandbox.tests.shopify_calls import CLIENT, SCOPES, Receiver, ask, furnished

COUNT = "{ collectionsCount(limit: 100) { count precision } }"
PAGE = """query($after: String, $query: String) { collections(first: 250, after: $after, query: $query) {
  nodes { legacyResourceId } pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
def sandbox():
    with ShopifySandbox() as sandbox:
        yield furnished(sandbox)


@pytest.fixture
def token(sandbox):
    return sandbox.issue_token(CLIENT[0], "demo", SCOPES.split(","))


def send(sandbox, count):
    with Receiver() as receiver:
        sandbox.subscribe("demo", "orders/create", receiver.url, secret="hush")
        for number in range(count):
            sandbox.emit("orders/create", "demo", {"id": number})
        assert sandbox.wait_idle(10)
    return [headers["X-Shopify-Order-Id"] for headers, _ in receiver.received]


def test_bad_weather_drops_doubles_and_shuffles_by_its_seed(sandbox):
    sandbox.set_weather(dropped=0.3, doubled=0.2, late_seconds=0.3, seed=7)
    arrived = send(sandbox, 200)
    times = Counter(Counter(arrived).values())
    lost = sum(row.status == "dropped" for row in sandbox.deliveries)
    assert lost == 200 - len(set(arrived))
    assert 40 <= lost <= 80 and 15 <= times[2] <= 45
    assert arrived != sorted(arrived, key=int)
    copies = [row.webhook_id for row in sandbox.deliveries]
    assert len(copies) - len(set(copies)) == times[2]


def test_without_weather_all_arrive_once(sandbox):
    assert sorted(send(sandbox, 20), key=int) == [str(number) for number in range(20)]


def test_weather_is_set_over_the_control_interface(sandbox):
    answer = requests.post(f"{sandbox.url}/control/weather", json={"dropped": 1.0}, timeout=5)
    assert answer.status_code == 200
    assert send(sandbox, 5) == []
    assert requests.post(f"{sandbox.url}/control/weather", json={"rain": 1.0}, timeout=5).status_code == 400


def test_collections_are_counted_up_to_the_limit(sandbox, token):
    sandbox.add_shop("demo", collections=90)
    assert ask(sandbox, token, COUNT).json()["data"]["collectionsCount"] == {"count": 90, "precision": "EXACT"}
    sandbox.add_shop("demo", collections=101)
    assert ask(sandbox, token, COUNT).json()["data"]["collectionsCount"] == {"count": 100, "precision": "AT_LEAST"}


def test_paging_ends_without_a_word_and_goes_on_by_id(sandbox, token, monkeypatch):
    monkeypatch.setattr("sandbox.shopify.paging.LIST_MAXIMUM", 250)
    ids = [str(row["id"]) for row in sandbox.add_shop("demo", collections=300).collections]
    page = ask(sandbox, token, PAGE).json()["data"]["collections"]
    assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (250, False)
    rest = ask(sandbox, token, PAGE, query=f"id:>{ids[249]}").json()["data"]["collections"]
    assert [row["legacyResourceId"] for row in rest["nodes"]] == ids[250:]
