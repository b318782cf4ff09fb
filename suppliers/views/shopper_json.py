"""The shape of status.json, version 1 (docs/status-json.md). A field is never changed or taken away, only added."""

from typing import Any

from orders.shoppers import Listing
from suppliers.shown_order import Item, Parcel, Part, Progress

VERSION = 1


def listing(said: Listing, orders: list[Progress], *, is_guest: bool) -> dict[str, Any]:
    """Return a page of orders."""
    return {
        "version": VERSION,
        "is_guest": is_guest,
        "is_linked": said.is_linked,
        "page": said.page,
        "has_more": said.has_more,
        "orders": [_order(order) for order in orders],
    }


def _order(order: Progress) -> dict[str, Any]:
    return {
        "number": order.number,
        "placed_at": order.placed_at.isoformat(),
        "state": order.state.value,
        "state_text": str(order.state.label),
        "parts": [_part(part) for part in order.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "number": part.number,
        "state": part.state.value,
        "state_text": str(part.state.label),
        "items": [_item(item) for item in part.items],
        "parcels": [_parcel(parcel) for parcel in part.parcels],
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "title": item.title,
        "variant": item.variant,
        "quantity": item.quantity,
        "state": item.state.value,
        "state_text": str(item.state.label),
        "shipped": item.shipped,
        "unavailable": item.unavailable,
    }


def _parcel(parcel: Parcel) -> dict[str, Any]:
    return {
        "shipped_at": parcel.shipped_at.isoformat(),
        "carrier": parcel.carrier,
        "tracking": [{"number": link.number, "url": link.url} for link in parcel.links],
    }
