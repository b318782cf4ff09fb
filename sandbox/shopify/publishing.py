"""From an event in a shop to signed webhooks, one for each subscription."""

import uuid

from sandbox.shopify.signatures import sign_body, webhook_json
from sandbox.shopify.state import State, Subscription
from sandbox.shopify.webhooks import Delivery, Webhooks

COMPLIANCE = ("CUSTOMERS_DATA_REQUEST", "CUSTOMERS_REDACT", "SHOP_REDACT")  # these also come after an uninstall
MOST_FAILURES = 8


class Publisher:
    """Knows who subscribed to what, and how a webhook looks."""

    def __init__(self, state: State, webhooks: Webhooks, api_version: str) -> None:
        self._state = state
        self._webhooks = webhooks
        self._api_version = api_version
        webhooks.told = self.count

    def subscribe(self, shop: str | None, topic: str, uri: str, secret: str = "", client_id: str = "") -> Subscription:
        """Subscribe an address to a topic; without a shop, for every shop where the app is installed."""
        if not secret and client_id not in self._state.apps:
            raise ValueError("A subscription needs a secret, or the client id of an app that is there.")
        row = Subscription(self._state.next_id(), shop, topic_key(topic), uri, client_id, secret, self._api_version)
        with self._state.lock:
            self._state.subscriptions[row.id] = row
        return row

    def emit(
        self,
        topic: str,
        shop: str,
        body: object,
        webhook_id: str | None = None,
        subscribers: list[Subscription] | None = None,
    ) -> list[Delivery]:
        """Send a webhook to all who subscribed to the topic; `body` may be bytes, which go out as they are."""
        event_id = str(uuid.uuid4())
        deliveries = []
        for row in self.subscribers(topic, shop) if subscribers is None else subscribers:
            data = body if isinstance(body, bytes) else webhook_json(_trim(body, row.include_fields))
            delivery = Delivery(topic, shop, row.uri, webhook_id or str(uuid.uuid4()), event_id, data, {})
            delivery.subscription = row.id
            delivery.headers = self._headers(row, delivery) | _order_headers(topic, body)
            deliveries.append(self._webhooks.send(delivery))
        return deliveries

    def repeat(self, delivery: Delivery) -> Delivery:
        """Send the same webhook once more: same id, same bytes."""
        names = ("topic", "shop", "uri", "webhook_id", "event_id", "body", "headers")
        copy = Delivery(*(getattr(delivery, name) for name in names))
        copy.subscription = delivery.subscription
        return self._webhooks.send(copy)

    def count(self, delivery: Delivery) -> None:
        """Count a delivery's failed attempts; after eight in a row Shopify deletes a subscription made by the API."""
        with self._state.lock:
            row = self._state.subscriptions.get(delivery.subscription)
            if row is None:
                return
            row.failures = row.failures + 1 if delivery.error else 0
            if row.failures >= MOST_FAILURES and row.shop is not None:
                del self._state.subscriptions[row.id]

    def subscribers(self, topic: str, shop: str) -> list[Subscription]:
        """Return who is told of a topic of a shop."""
        with self._state.lock:
            rows = [row for row in self._state.subscriptions.values() if row.topic == topic_key(topic)]
            return [row for row in rows if row.shop == shop or self._is_app_wide(row, shop)]

    def _is_app_wide(self, row: Subscription, shop: str) -> bool:
        is_due = row.topic in COMPLIANCE or self._state.is_installed(row.client_id, shop)
        return row.shop is None and is_due

    def _headers(self, row: Subscription, delivery: Delivery) -> dict[str, str]:
        secret = row.secret or self._state.apps[row.client_id].signing_secret
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": delivery.topic,
            "X-Shopify-Hmac-Sha256": sign_body(delivery.body, secret),
            "X-Shopify-Shop-Domain": f"{delivery.shop}.myshopify.com",
            "X-Shopify-API-Version": row.api_version,
            "X-Shopify-Webhook-Id": delivery.webhook_id,
            "X-Shopify-Event-Id": delivery.event_id,
            "X-Shopify-Triggered-At": delivery.triggered_at.isoformat().replace("+00:00", "Z"),
        }
        return headers | ({"X-Shopify-Name": row.name} if row.name else {})


def topic_key(topic: str) -> str:
    """Return `orders/create` as the schema writes it, `ORDERS_CREATE`."""
    return topic.upper().replace("/", "_")


def _order_headers(topic: str, body: object) -> dict[str, str]:
    if not topic.startswith("orders/") or not isinstance(body, dict):
        return {}
    return {"X-Shopify-Order-Id": str(body.get("id", "")), "X-Shopify-Test": str(bool(body.get("test"))).lower()}


def _trim(body: object, include_fields: list[str]) -> object:
    if include_fields and isinstance(body, dict):
        return {name: value for name, value in body.items() if name in include_fields}
    return body
