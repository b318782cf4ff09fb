"""Shopify's order payload, read once into an OrderSnapshot.

The body is the REST order resource, also in the GraphQL era
(shopify.dev/docs/api/webhooks, topic orders/create). Whatever may be null in it, is null in somebody's store.
"""

import hashlib
import json
import re
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hemi.lib import money

# Neither PostgreSQL nor UTF-8 can hold these: NUL, and halves of a surrogate pair that JSON may spell out.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_FORBIDDEN_IN_XML = "\ufffe"  # stands for each of them, so that a document leaves it out and says so
_MAX_ID = 2**63 - 1
_PAID = {"paid", "partially_refunded", "refunded"}


class PayloadError(ValueError):
    """The body is not an order that can be read; the text names the field, never what stood in it."""


@dataclass(frozen=True)
class LineSnapshot:
    """One line. `current` is what was not removed since, `sendable` what of that is not fulfilled either."""

    shopify_id: int
    position: int
    sku: str
    title: str
    variant_title: str
    vendor: str
    product_id: int | None
    variant_id: int | None
    quantity: int
    current: int
    sendable: int
    requires_shipping: bool
    is_gift_card: bool
    price: Decimal
    discount: Decimal
    tax: Decimal
    properties: list[dict[str, str]]
    product_type: str | None = None  # webhooks do not say it


@dataclass(frozen=True)
class OrderSnapshot:
    """An order as a store had it at `shop_updated_at`; texts are never None, money is in `currency`."""

    shopify_id: int
    number: str
    source_name: str
    placed_at: datetime
    shop_updated_at: datetime
    is_test: bool
    is_paid: bool
    cancelled_at: datetime | None
    financial_status: str
    fulfillment_status: str
    currency: str
    total: Decimal
    total_tax: Decimal
    total_discount: Decimal
    total_shipping: Decimal
    are_taxes_included: bool
    email: str
    phone: str
    customer_name: str
    shipping_address: dict[str, str] | None
    billing_address: dict[str, str] | None
    shipping_methods: list[dict[str, str]]
    note: str
    lines: tuple[LineSnapshot, ...]
    customer_id: int | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything that both wires say: equal orders hash alike, by webhook or by GraphQL."""
        values = asdict(self)
        for line in values["lines"]:
            del line["product_type"]
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()

    def without_person(self) -> "OrderSnapshot":
        """Return the order without its customer's data; ids, articles and money stay."""
        lines = tuple(replace(line, properties=[]) for line in self.lines)
        return replace(self, **NO_PERSON, lines=lines)


# What an order says about a person, emptied.
NO_PERSON: dict[str, Any] = {
    "email": "",
    "phone": "",
    "customer_name": "",
    "shipping_address": None,
    "billing_address": None,
    "note": "",
}


def parse_order(body: bytes) -> OrderSnapshot:
    """Read a webhook's body. Raises PayloadError."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"The body is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise PayloadError("The body is not a JSON object.")
    return from_resource(data)


def from_resource(data: dict[str, Any]) -> OrderSnapshot:
    """Read an order from the REST resource as parsed JSON. Raises PayloadError."""
    try:
        return _order(data)
    except PayloadError as error:
        raise PayloadError(f"The order cannot be read: {error}") from None
    except (TypeError, AttributeError, KeyError, ValueError, OverflowError) as error:
        kind = type(error).__name__  # the message may quote a person's data
        raise PayloadError(f"The order cannot be read: one of its parts is not of the expected kind ({kind})") from None


def _order(data: dict[str, Any]) -> OrderSnapshot:
    customer = data.get("customer") or {}
    placed_at = _time(data.get("created_at") or data.get("processed_at"), "created_at")
    return OrderSnapshot(
        shopify_id=_id(data.get("id"), "id"),
        number=_text(data.get("name") or data.get("order_number"), 100) or str(data["id"]),
        source_name=_text(data.get("source_name"), 100),
        placed_at=placed_at,
        shop_updated_at=_time(data.get("updated_at"), "updated_at") if data.get("updated_at") else placed_at,
        is_test=bool(data.get("test")),
        is_paid=data.get("financial_status") in _PAID,
        cancelled_at=_time(data["cancelled_at"], "cancelled_at") if data.get("cancelled_at") else None,
        financial_status=_text(data.get("financial_status"), 50),
        fulfillment_status=_text(data.get("fulfillment_status"), 50),
        currency=_currency(data.get("currency")),
        total=_amount(data, "total_price"),
        total_tax=_amount(data, "total_tax"),
        total_discount=_amount(data, "total_discounts"),
        total_shipping=_shipping_total(data),
        are_taxes_included=bool(data.get("taxes_included")),
        email=_text(data.get("email") or data.get("contact_email") or customer.get("email"), 320),
        phone=_text(data.get("phone") or customer.get("phone"), 100),
        customer_name=_customer_name(customer, data),
        shipping_address=_address(data.get("shipping_address")),
        billing_address=_address(data.get("billing_address")),
        shipping_methods=[
            {"title": _text(line.get("title"), 255), "code": _text(line.get("code"), 255)}
            for line in data.get("shipping_lines") or []
            if not line.get("is_removed")
        ],
        note=_text(data.get("note"), 5000),
        lines=_lines(data),
        customer_id=_id(customer["id"], "customer.id") if customer.get("id") else None,
    )


def _lines(data: dict[str, Any]) -> tuple[LineSnapshot, ...]:
    is_fulfilled = data.get("fulfillment_status") == "fulfilled"
    numbered = enumerate(data.get("line_items") or [], start=1)
    lines = tuple(_line(line, number, is_fulfilled) for number, line in numbered)
    seen = Counter(line.shopify_id for line in lines)
    if twice := [line_id for line_id, count in seen.items() if count > 1]:
        raise PayloadError(f"two lines have the id {twice[0]}")
    return lines


def _line(data: dict[str, Any], position: int, is_order_fulfilled: bool) -> LineSnapshot:
    quantity = _count(data.get("quantity"))
    current = _count(data.get("current_quantity"), quantity)  # absent in old payloads
    is_fulfilled = is_order_fulfilled or data.get("fulfillment_status") == "fulfilled"
    sendable = min(current, _count(data.get("fulfillable_quantity"), 0 if is_fulfilled else current))
    return LineSnapshot(
        shopify_id=_id(data.get("id"), "line_items.id"),
        position=position,
        sku=_text(data.get("sku"), 255),
        title=_text(data.get("title") or data.get("name"), 1000) or "(no title)",
        variant_title=_text(data.get("variant_title"), 1000),
        vendor=_text(data.get("vendor"), 255),
        product_id=_id(data["product_id"], "line_items.product_id") if data.get("product_id") else None,
        variant_id=_id(data["variant_id"], "line_items.variant_id") if data.get("variant_id") else None,
        quantity=quantity,
        current=current,
        sendable=sendable,
        requires_shipping=data.get("requires_shipping") is not False,
        is_gift_card=bool(data.get("gift_card")),
        price=_amount(data, "price"),
        discount=_discount(data),
        tax=_sum(data.get("tax_lines"), "price"),
        properties=[
            {"name": _text(item.get("name"), 255), "value": _text(item.get("value"), 2000)}
            for item in data.get("properties") or []
            if isinstance(item, dict)
        ],
        product_type=_text(data["product_type"], 255) if data.get("product_type") is not None else None,
    )


def _discount(line: dict[str, Any]) -> Decimal:
    # total_discount is often 0.00 while the money is in the allocations, which hold all of it.
    allocations = line.get("discount_allocations") or []
    if allocations:
        return _sum(allocations, "amount")
    return _amount(line, "total_discount")


def _shipping_total(data: dict[str, Any]) -> Decimal:
    if price_set := data.get("total_shipping_price_set"):
        return _amount(price_set["shop_money"], "amount")
    return _sum(data.get("shipping_lines"), "price")


def _customer_name(customer: dict[str, Any], data: dict[str, Any]) -> str:
    for person in (customer, data.get("shipping_address") or {}, data.get("billing_address") or {}):
        if name := _full_name(person):
            return name
    return ""


def _full_name(person: dict[str, Any]) -> str:
    parts = (_text(person.get("first_name"), 250), _text(person.get("last_name"), 250))
    return " ".join(part for part in parts if part)[:500] or _text(person.get("name"), 500)


_ADDRESS = ("company", "address1", "address2", "city", "zip", "province", "province_code", "country", "country_code")


def _address(data: dict[str, Any] | None) -> dict[str, str] | None:
    if not data:
        return None
    fields = {name: _text(data.get(name), 500) for name in (*_ADDRESS, "phone")}
    return {"name": _text(data.get("name"), 500) or _full_name(data), **fields}


def _amount(data: dict[str, Any], name: str) -> Decimal:
    try:
        return money.amount(data.get(name))
    except ValueError:
        raise PayloadError(f"{name} is not an amount") from None


def _sum(rows: list[dict[str, Any]] | None, name: str) -> Decimal:
    # Read as an amount again: what fits one by one may be too much for the database together.
    return _amount({name: sum((_amount(row, name) for row in rows or []), Decimal(0))}, name)


def _text(value: Any, limit: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise PayloadError(f"expected a text, found {type(value).__name__}")
    return _UNSTORABLE.sub(_FORBIDDEN_IN_XML, str(value)).strip()[:limit]


def _id(value: Any, name: str) -> int:
    is_number = isinstance(value, int | str) and not isinstance(value, bool) and str(value).isdecimal()
    if not is_number or not 0 < int(value) <= _MAX_ID:
        raise PayloadError(f"{name} is not an id")
    return int(value)


def _count(value: Any, default: int | None = None) -> int:
    if value is None and default is not None:
        return default
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise PayloadError("a quantity is not a number") from None
    if not 0 <= number <= 10_000_000:
        raise PayloadError("a quantity is out of range")
    return number


def _time(value: Any, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise PayloadError(f"{name} is not a time") from None
    if moment.tzinfo is None:
        raise PayloadError(f"{name} has no time zone")
    return moment.astimezone(UTC)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise PayloadError("currency is not a three-letter code")
    return value
