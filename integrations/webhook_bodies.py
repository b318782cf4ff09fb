"""What webhooks other than orders say. Headers are not signed: what follows from a topic must stand in the body.

https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance
"""

import json
from dataclasses import dataclass
from typing import Any

from integrations.models import AccountShopify, WebhookEvent
from integrations.shopify import domains


class BodyRefused(ValueError):
    """The body does not bear out its topic or its shop; nothing is done. The text is for staff."""


@dataclass(frozen=True)
class Compliance:
    """What a compliance webhook asks for; no customer means the whole store."""

    customer_id: int | None
    order_ids: tuple[int, ...]
    request_id: int | None = None
    contacts: tuple[str, ...] = ()


def read(event: WebhookEvent) -> dict[str, Any]:
    """Return the body as a JSON object. Raises BodyRefused."""
    try:
        data = json.loads(bytes(event.body))
    except (ValueError, RecursionError):
        raise BodyRefused("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise BodyRefused("The body is not a JSON object.")
    return data


def number(value: Any) -> int:
    """Return an id, written as a number, as digits, or as gid://shopify/Thing/1. Raises BodyRefused."""
    text = value.rpartition("/")[2] if isinstance(value, str) else value
    if isinstance(text, bool) or not isinstance(text, int | str) or not str(text).isdecimal() or int(text) >= 2**63:
        raise BodyRefused("The body names no id where one belongs.")
    return int(text)


def check_shop(account: AccountShopify, domain: Any, shop_id: Any) -> None:
    """Raise BodyRefused unless the body itself names the account's store."""
    try:
        name = domains.from_domain(str(domain).lower())
    except ValueError:
        raise BodyRefused("The body does not name the store, so nothing was done.") from None
    if name not in account.names:
        raise BodyRefused("The body names another store than the address it was sent to, so nothing was done.")
    if account.shopify_shop_id not in (None, number(shop_id)):
        raise BodyRefused("The body names another shop id than this store has, so nothing was done.")


def compliance(event: WebhookEvent) -> Compliance:
    """Read a compliance webhook that its body bears out. Raises BodyRefused."""
    data = read(event)
    check_shop(event.account, data.get("shop_domain"), data.get("shop_id"))
    if event.topic == "shop/redact":
        if set(data) - {"shop_id", "shop_domain"}:
            raise BodyRefused("The body says more than a store's redaction does, so nothing was done.")
        return Compliance(None, ())
    customer = data.get("customer")
    if not isinstance(customer, dict):
        raise BodyRefused("The body names no customer, so nothing was done.")
    customer_id = number(customer.get("id"))
    contacts = tuple(text for name in ("email", "phone") if isinstance(text := customer.get(name), str) and text)
    return Compliance(customer_id, *_wanted(event.topic, data), contacts)


def _wanted(topic: str, data: dict[str, Any]) -> tuple[tuple[int, ...], int | None]:
    is_request = topic == "customers/data_request"
    rows = data.get("orders_requested" if is_request else "orders_to_redact")
    if not isinstance(rows, list) or ("data_request" in data) != is_request:
        raise BodyRefused(f"The body is not one of {topic}, so nothing was done.")
    request = data.get("data_request")
    request_id = number(request.get("id")) if is_request and isinstance(request, dict) else None
    if is_request and request_id is None:
        raise BodyRefused("The body names no data request, so nothing was done.")
    return tuple(number(row) for row in rows), request_id
