"""The part of Shopify's search syntax that order queries use: `field:value`, `field:>='time'`, joined by AND."""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime

_TERM = re.compile(r"""(\w+):(>=|<=|>|<)?('[^']*'|"[^"]*"|\S+)""")
_OPERATORS: dict[str, Callable] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
}
_TIMES = ("created_at", "updated_at", "processed_at")
_FIELDS = (*_TIMES, "id", "name", "test", "financial_status", "email", "source_name")


def matching(orders: list[dict], query: str | None) -> tuple[list[dict], list[str]]:
    """Return the orders that match, and a warning for each term that is not understood and so is ignored."""
    warnings = []
    for name, sign, value in _TERM.findall(query or ""):
        try:
            wanted = _parse(name, value.strip("'\""))
        except ValueError:
            warnings.append(f"Invalid search term: {name}")
            continue
        compare = _OPERATORS[sign]
        orders = [order for order in orders if compare(_value(order, name), wanted)]
    return orders, warnings


def instant(text: str) -> datetime:
    """Read an ISO 8601 time; one without an offset is in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parse(name: str, text: str) -> object:
    if name not in _FIELDS:
        raise ValueError(name)
    if name in _TIMES:
        return instant(text)
    return int(text) if name == "id" else text.lower()


def _value(order: dict, name: str) -> object:
    if name in _TIMES:
        return instant(order[name])
    return order["id"] if name == "id" else str(order.get(name) or "").lower()
