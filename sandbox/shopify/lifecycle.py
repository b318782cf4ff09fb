"""What a merchant does with an app that is installed, and what Shopify then tells it: uninstall, privacy requests."""

from datetime import UTC, datetime

from sandbox.shopify.publishing import Publisher
from sandbox.shopify.state import Grant, Shop, State
from sandbox.shopify.webhooks import Delivery


class Lifecycle:
    """The end of an installation, and the compliance webhooks that also come after it."""

    def __init__(self, state: State, publisher: Publisher) -> None:
        self._state = state
        self._publisher = publisher

    def uninstall(self, shop: str, client_id: str) -> list[Delivery]:
        """Revoke the app's tokens in the shop, tell it, and forget its subscriptions there."""
        state = self._state
        with state.lock:
            readers = self._publisher.subscribers("app/uninstalled", shop)
            owner = (client_id, shop)
            for grants in (state.tokens, state.codes):
                for name in [key for key, grant in grants.items() if _owner(grant) == owner]:
                    del grants[name]
            for name in [key for key, row in state.refresh_tokens.items() if _owner(row.grant) == owner]:
                del state.refresh_tokens[name]
            readers = [row for row in readers if row.client_id == client_id]
            self.drop_subscriptions(shop, client_id=client_id)
        return self._publisher.emit("app/uninstalled", shop, _shop_body(state.shops[shop]), subscribers=readers)

    def drop_subscriptions(self, shop: str, *topics: str, client_id: str | None = None) -> int:
        """Delete subscriptions behind the app's back, as Shopify does; without topics all of the shop."""
        rows = self._state.subscriptions
        with self._state.lock:
            gone = [
                number
                for number, row in rows.items()
                if row.shop == shop and client_id in (None, row.client_id) and (not topics or row.topic in topics)
            ]
            for number in gone:
                del rows[number]
        return len(gone)

    def ask_for_data(self, shop: str, order_id: int) -> list[Delivery]:
        """Let the buyer of an order ask what is stored: customers/data_request."""
        body = self._customer(shop, order_id) | {"orders_requested": [order_id], "data_request": {"id": 9999}}
        return self._publisher.emit("customers/data_request", shop, body)

    def redact_customer(self, shop: str, order_id: int) -> list[Delivery]:
        """Let the buyer of an order be forgotten: customers/redact names all of the buyer's orders."""
        buyer = self._state.shops[shop].orders[order_id]["customer"]["id"]
        orders = self._state.shops[shop].orders.values()
        mine = [order["id"] for order in orders if (order["customer"] or {}).get("id") == buyer]
        body = self._customer(shop, order_id) | {"orders_to_redact": mine}
        return self._publisher.emit("customers/redact", shop, body)

    def redact_shop(self, shop: str) -> list[Delivery]:
        """Ask for the store's data to be removed, as Shopify does two days after an uninstall."""
        row = self._state.shops[shop]
        return self._publisher.emit("shop/redact", shop, {"shop_id": row.id, "shop_domain": row.domain})

    def _customer(self, shop: str, order_id: int) -> dict:
        row = self._state.shops[shop]
        buyer = row.orders[order_id]["customer"]
        customer = {name: buyer[name] for name in ("id", "email", "phone")}
        return {"shop_id": row.id, "shop_domain": row.domain, "customer": customer}


def _owner(grant: Grant) -> tuple[str, str]:
    return grant.client_id, grant.shop


def _shop_body(shop: Shop) -> dict:
    return {
        "id": shop.id,
        "name": shop.name.title(),
        "email": f"owner@{shop.name}.example",
        "domain": shop.domain,
        "myshopify_domain": shop.domain,
        "shop_owner": "Robin Sandbox",
        "currency": shop.currency,
        "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
