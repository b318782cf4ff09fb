import json

import pytest
import requests

from sandbox.shopify import Behaviour, ShopifySandbox
from sandbox.shopify.signatures import sign_body, webhook_json
from sandbox.tests.shopify_calls import CLIENT, SCOPES, Receiver, ask, furnished

CREATE = """mutation Subscribe($topic: WebhookSubscriptionTopic!, $in: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $in) {
    webhookSubscription { id topic uri apiVersion { handle } } userErrors { field message } } }"""
DELETE = """mutation($id: ID!) { webhookSubscriptionDelete(id: $id) {
  deletedWebhookSubscriptionId userErrors { message } } }"""
LIST = "{ webhookSubscriptions(first: 50) { nodes { id topic uri } } }"


@pytest.fixture
def sandbox():
    with ShopifySandbox(behaviour=Behaviour(retry_delays=(0.01, 0.02))) as sandbox:
        yield furnished(sandbox)


@pytest.fixture
def token(sandbox):
    return sandbox.issue_token(CLIENT[0], "demo", SCOPES.split(","))


def test_body_digest_equals_the_known_vector():
    body = '{"id":820982911946154508,"note":"Größe"}'.encode()
    assert webhook_json({"id": 820982911946154508, "note": "Größe"}) == body
    assert sign_body(body, "hush") == "EggNZAcEYEDfCG3QvwHkTGdredTu8d4BohMOOZXmFAk="


def test_body_escapes_as_shopify_does():
    assert webhook_json({"a": "x & <y>"}) == rb'{"a":"x \u0026 \u003cy\u003e"}'


def test_subscribed_by_graphql_and_told_of_an_order(sandbox, token):
    with Receiver() as receiver:
        made = ask(sandbox, token, CREATE, topic="ORDERS_CREATE", **{"in": {"uri": receiver.url, "name": "hemi"}})
        payload = made.json()["data"]["webhookSubscriptionCreate"]
        assert payload["userErrors"] == []
        assert payload["webhookSubscription"]["apiVersion"] == {"handle": "2026-10"}
        order = sandbox.place_order("demo", "symbols")
        assert sandbox.wait_idle(5)
    [(headers, body)] = receiver.received
    assert json.loads(body) == order
    assert b"\\u0026" in body
    assert headers["X-Shopify-Hmac-Sha256"] == sign_body(body, "hush")
    assert headers["X-Shopify-Topic"] == "orders/create"
    assert headers["X-Shopify-Shop-Domain"] == "demo.myshopify.com"
    assert headers["X-Shopify-API-Version"] == "2026-10"
    assert headers["X-Shopify-Name"] == "hemi"
    assert headers["X-Shopify-Order-Id"] == str(order["id"])
    assert headers["X-Shopify-Test"] == "false"
    assert headers["X-Shopify-Triggered-At"].endswith("Z")
    [delivery] = sandbox.deliveries
    assert (delivery.status, delivery.status_code, delivery.attempts) == ("delivered", 200, 1)
    assert headers["X-Shopify-Webhook-Id"] == delivery.webhook_id


def test_subscription_is_listed_and_deleted(sandbox, token):
    ask(sandbox, token, CREATE, topic="ORDERS_PAID", **{"in": {"uri": "https://hemi.example/hook"}})
    [row] = ask(sandbox, token, LIST).json()["data"]["webhookSubscriptions"]["nodes"]
    assert (row["topic"], row["uri"]) == ("ORDERS_PAID", "https://hemi.example/hook")
    gone = ask(sandbox, token, DELETE, id=row["id"]).json()["data"]["webhookSubscriptionDelete"]
    assert gone["deletedWebhookSubscriptionId"] == row["id"]
    assert ask(sandbox, token, LIST).json()["data"]["webhookSubscriptions"]["nodes"] == []
    again = ask(sandbox, token, DELETE, id=row["id"]).json()["data"]["webhookSubscriptionDelete"]
    assert again["userErrors"]


@pytest.mark.parametrize("uri", ["http://hemi.example/hook", "ftp://hemi.example", None])
def test_unsafe_address_is_a_user_error(sandbox, token, uri):
    answer = ask(sandbox, token, CREATE, topic="ORDERS_PAID", **{"in": {"uri": uri}}).json()
    assert answer["data"]["webhookSubscriptionCreate"]["userErrors"][0]["field"] == ["webhookSubscription", "uri"]
    assert sandbox.state.subscriptions == {}


def test_same_topic_and_address_twice_is_a_user_error(sandbox, token):
    wanted = {"in": {"uri": "https://hemi.example/hook"}}
    ask(sandbox, token, CREATE, topic="ORDERS_PAID", **wanted)
    again = ask(sandbox, token, CREATE, topic="ORDERS_PAID", **wanted).json()["data"]["webhookSubscriptionCreate"]
    assert "already been taken" in again["userErrors"][0]["message"]
    assert len(sandbox.state.subscriptions) == 1


def test_topic_without_its_scope_is_a_user_error(sandbox):
    poor = sandbox.issue_token(CLIENT[0], "demo", ["read_products"])
    answer = ask(sandbox, poor, CREATE, topic="ORDERS_PAID", **{"in": {"uri": "https://hemi.example/"}}).json()
    assert "read_orders" in answer["data"]["webhookSubscriptionCreate"]["userErrors"][0]["message"]


def test_user_errors_on_demand_change_nothing(sandbox, token):
    sandbox.add_fault("user_errors")
    answer = ask(sandbox, token, CREATE, topic="ORDERS_PAID", **{"in": {"uri": "https://hemi.example/"}}).json()
    assert answer["data"]["webhookSubscriptionCreate"]["userErrors"]
    assert sandbox.state.subscriptions == {}


@pytest.mark.parametrize("refusal", [500, 302, 404])
def test_anything_but_2xx_is_tried_again_with_the_same_id_and_bytes(sandbox, refusal):
    with Receiver(refusal, refusal) as receiver:
        sandbox.subscribe("demo", "orders/create", receiver.url, "secret")
        sandbox.place_order("demo")
        assert sandbox.wait_idle(5)
    assert len(receiver.received) == 3
    assert len({body for _, body in receiver.received}) == 1
    assert len({headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.received}) == 1
    assert sandbox.deliveries[0].status == "delivered"
    assert sandbox.deliveries[0].attempts == 3


def test_delivery_is_given_up_when_nobody_answers(sandbox):
    with Receiver() as receiver:
        uri = receiver.url
    sandbox.subscribe("demo", "orders/create", uri, "secret")
    sandbox.place_order("demo")
    assert sandbox.wait_idle(5)
    [delivery] = sandbox.deliveries
    assert (delivery.status, delivery.status_code, delivery.attempts) == ("failed", None, 3)
    assert delivery.error == "ConnectionError"


def test_life_of_an_order_is_told_topic_by_topic(sandbox):
    with Receiver() as receiver:
        for topic in ("orders/create", "orders/paid", "orders/updated", "orders/cancelled"):
            sandbox.subscribe("demo", topic, receiver.url, "secret")
        order = sandbox.place_order("demo", "unpaid")
        sandbox.update_order("demo", order["id"], note="Leave at the door")
        sandbox.pay_order("demo", order["id"])
        cancelled = sandbox.cancel_order("demo", order["id"])
        assert sandbox.wait_idle(5)
    topics = sorted(headers["X-Shopify-Topic"] for headers, _ in receiver.received)
    assert topics == ["orders/cancelled", "orders/create", "orders/paid"] + ["orders/updated"] * 3
    assert cancelled["financial_status"] == "refunded"
    assert cancelled["note"] == "Leave at the door"
    event_ids = {headers["X-Shopify-Event-Id"] for headers, _ in receiver.received}
    assert len(event_ids) == len(receiver.received)


def test_repeat_has_the_same_id_and_bytes(sandbox):
    with Receiver() as receiver:
        sandbox.subscribe("demo", "orders/create", receiver.url, "secret")
        sandbox.place_order("demo", "unpaid")
        sandbox.repeat(sandbox.deliveries[0])
        assert sandbox.wait_idle(5)
    first, second = receiver.received
    assert first[1] == second[1]
    assert first[0]["X-Shopify-Webhook-Id"] == second[0]["X-Shopify-Webhook-Id"]


def test_raw_bytes_and_a_given_id_go_out_as_they_are(sandbox):
    with Receiver() as receiver:
        sandbox.subscribe("demo", "orders/create", receiver.url, "secret")
        sandbox.emit("orders/create", "demo", b"not json", webhook_id="mine")
        assert sandbox.wait_idle(5)
    [(headers, body)] = receiver.received
    assert (body, headers["X-Shopify-Webhook-Id"]) == (b"not json", "mine")
    assert headers["X-Shopify-Hmac-Sha256"] == sign_body(body, "secret")


def test_app_wide_subscription_hears_only_shops_that_installed(sandbox):
    sandbox.add_shop("stranger")
    sandbox.issue_token(CLIENT[0], "demo", ["read_orders"])
    with Receiver() as receiver:
        sandbox.subscribe(None, "orders/create", receiver.url, client_id=CLIENT[0])
        sandbox.place_order("stranger", "unpaid")
        sandbox.place_order("demo", "unpaid")
        assert sandbox.wait_idle(5)
    assert [headers["X-Shopify-Shop-Domain"] for headers, _ in receiver.received] == ["demo.myshopify.com"]


def test_silent_order_is_there_and_told_to_nobody(sandbox):
    with Receiver() as receiver:
        sandbox.subscribe("demo", "orders/create", receiver.url, "secret")
        order = sandbox.place_order("demo", announce=False)
        assert sandbox.wait_idle(5)
    assert receiver.received == []
    assert order["id"] in sandbox.state.shops["demo"].orders


def test_hundred_orders_arrive_once_each(sandbox):
    with Receiver() as receiver:
        sandbox.subscribe("demo", "orders/create", receiver.url, "secret")
        numbers = [sandbox.place_order("demo", "unpaid")["id"] for _ in range(100)]
        assert sandbox.wait_idle(20)
    assert sorted(json.loads(body)["id"] for _, body in receiver.received) == numbers


def test_control_interface_plays_a_story(sandbox):
    def post(path: str, **body: object) -> requests.Response:
        return requests.post(f"{sandbox.url}/control/{path}", json=body, timeout=5)

    with Receiver() as receiver:
        assert post("apps", client_id="b", client_secret="s", redirect_uris=["https://x.example/"]).status_code == 201
        assert post("shops", name="second", collections=3).json()["domain"] == "second.myshopify.com"
        post("subscriptions", shop="second", topic="orders/create", uri=receiver.url, client_id="b")
        placed = post("orders", shop="second", variant="unpaid", count=2).json()["orders"]
        idle = requests.get(f"{sandbox.url}/control/deliveries", params={"wait": 5}, timeout=10).json()
        assert post(f"shops/second/orders/{placed[0]['id']}/pay").json()["financial_status"] == "paid"
        assert post("faults", kind="500", shop="second").status_code == 201
    assert idle["idle"]
    assert [row["status"] for row in idle["deliveries"]] == ["delivered"] * 2
    listed = requests.get(f"{sandbox.url}/control/shops/second/orders", timeout=5).json()["orders"]
    assert [order["financial_status"] for order in listed] == ["paid", "pending"]
    page = requests.get(sandbox.url, timeout=5).text
    assert "second.myshopify.com" in page
    assert placed[0]["name"] in page


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("orders", {"shop": "nowhere"}, 404),
        ("orders", {"shop": "demo", "variant": "nothing"}, 404),
        ("faults", {"kind": "nothing"}, 400),
        ("shops", {"colour": "red"}, 400),
        ("subscriptions", {"shop": "demo", "topic": "orders/create", "uri": "http://x.example/"}, 400),
    ],
)
def test_wrong_control_call_is_refused(sandbox, path, body, status):
    answer = requests.post(f"{sandbox.url}/control/{path}", json=body, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert sandbox.state.shops["demo"].orders == {}
    assert sandbox.state.subscriptions == {}
