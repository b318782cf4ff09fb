import json

import pytest

from sandbox.shopify import Behaviour, ShopifySandbox
from sandbox.tests.shopify_calls import CLIENT, SCOPES, Receiver, ask, furnished

UPDATE = """mutation($id: ID!, $in: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $in) {
  webhookSubscription { uri filter includeFields } userErrors { message } } }"""


@pytest.fixture
def sandbox():
    with ShopifySandbox(behaviour=Behaviour(retry_delays=(0.01, 0.01, 0.01))) as sandbox:
        yield furnished(sandbox)


@pytest.fixture
def token(sandbox):
    return sandbox.issue_token(CLIENT[0], "demo", SCOPES.split(","))


def test_uninstall_revokes_tells_and_forgets(sandbox, token):
    with Receiver() as receiver:
        sandbox.subscribe("demo", "app/uninstalled", receiver.url, client_id=CLIENT[0])
        sandbox.subscribe("demo", "orders/create", receiver.url, client_id=CLIENT[0])
        sandbox.uninstall("demo", CLIENT[0])
        assert sandbox.wait_idle(5)
    [(headers, body)] = receiver.received
    assert headers["X-Shopify-Topic"] == "app/uninstalled"
    assert json.loads(body)["myshopify_domain"] == "demo.myshopify.com"
    assert ask(sandbox, token, "{ shop { id } }").status_code == 401
    assert not sandbox.state.subscriptions


def test_subscription_made_by_the_api_goes_after_eight_failures_in_a_row(sandbox):
    with Receiver(*[500] * 7, 200, *[500] * 8) as receiver:
        own = sandbox.subscribe("demo", "orders/create", receiver.url, "secret")
        for _ in range(2):
            sandbox.place_order("demo")
            assert sandbox.wait_idle(5)
        assert own.id in sandbox.state.subscriptions  # seven failures, then an answer
        for _ in range(2):
            sandbox.place_order("demo")
            assert sandbox.wait_idle(5)
    assert own.id not in sandbox.state.subscriptions


def test_compliance_webhooks_also_come_without_an_installation(sandbox):
    order = sandbox.place_order("demo", announce=False)
    with Receiver() as receiver:
        for topic in ("customers/data_request", "customers/redact", "shop/redact"):
            sandbox.subscribe(None, topic, receiver.url, client_id=CLIENT[0])
        sandbox.ask_for_data("demo", order["id"])
        sandbox.redact_customer("demo", order["id"])
        sandbox.redact_shop("demo")
        assert sandbox.wait_idle(5)
    bodies = {headers["X-Shopify-Topic"]: json.loads(body) for headers, body in receiver.received}
    assert bodies["customers/data_request"]["orders_requested"] == [order["id"]]
    assert bodies["customers/redact"]["orders_to_redact"] == [order["id"]]
    assert bodies["customers/redact"]["customer"]["id"] == order["customer"]["id"]
    assert set(bodies["shop/redact"]) == {"shop_id", "shop_domain"}


def test_subscription_is_updated(sandbox, token):
    row = sandbox.subscribe("demo", "orders/create", "https://a.example/", client_id=CLIENT[0])
    row.filter, row.include_fields = "id:1", ["id"]
    wanted = {"uri": "https://b.example/", "filter": "", "includeFields": []}
    answer = ask(sandbox, token, UPDATE, id=f"gid://shopify/WebhookSubscription/{row.id}", **{"in": wanted}).json()
    assert answer["data"]["webhookSubscriptionUpdate"]["userErrors"] == []
    assert (row.uri, row.filter, row.include_fields) == ("https://b.example/", "", [])
