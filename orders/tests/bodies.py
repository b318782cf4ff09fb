"""Order bodies as a store posts them, small and of our own making."""

import itertools
import json
from typing import Any

_ids = itertools.count(450_789_469_000)


def order(**changes: Any) -> dict[str, Any]:
    """Return a paid order of two vendors' lines; `changes` replace its fields."""
    number = next(_ids)
    return {
        "id": number,
        "name": f"#{number % 100_000}",
        "created_at": "2026-11-20T10:00:00+01:00",
        "updated_at": "2026-11-20T10:00:00+01:00",
        "currency": "EUR",
        "financial_status": "paid",
        "fulfillment_status": None,
        "cancelled_at": None,
        "test": False,
        "source_name": "web",
        "email": "ola@example.com",
        "total_price": "51.50",
        "taxes_included": True,
        "customer": {"first_name": "Ola", "last_name": "Łuk", "email": "ola@example.com"},
        "shipping_address": address(),
        "shipping_lines": [{"title": "Standard", "code": "STD", "price": "5.00"}],
        "line_items": [line(number, 1, "Northwind", "NW-1001", 2), line(number, 2, "Südhaus", "SH-2001", 1)],
        **changes,
    }


def line(order_id: int, position: int, vendor: str | None, sku: str | None, quantity: int, **changes: Any) -> dict:
    """Return one line that is wholly unfulfilled."""
    return {
        "id": order_id * 100 + position,
        "title": f"Article {position}",
        "vendor": vendor,
        "sku": sku,
        "quantity": quantity,
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "price": "15.50",
        "requires_shipping": True,
        "product_id": 7000 + position,
        "variant_id": None,
        **changes,
    }


def address(**changes: Any) -> dict[str, Any]:
    """Return a shipping address."""
    return {
        "first_name": "Ola",
        "last_name": "Łuk",
        "name": "Ola Łuk",
        "address1": "Łąkowa 1",
        "city": "Łódź",
        "zip": "90-001",
        "country": "Poland",
        "country_code": "PL",
        "province": None,
        **changes,
    }


def encode(body: dict[str, Any]) -> bytes:
    """Return the bytes that a webhook carries."""
    return json.dumps(body).encode()
