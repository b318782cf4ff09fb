"""Cursor paging over lists of rows, with the rules and refusals of Shopify's connections."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime

from graphql import GraphQLError

PAGE_MAXIMUM = 250
LIST_MAXIMUM = 25_000  # paging ends there, without a word
SortKey = Callable[[dict], object]


def connection(
    rows: list[dict],
    arguments: dict,
    sort_key: SortKey | None = None,
    show: Callable[[dict], dict] | None = None,
) -> dict:
    """Return the page that the arguments ask for; rows have an integer `key` or `id`, by which ties are sorted.

    A cursor names the last row's sort value and key, so that rows which come or go meanwhile shift nothing. `show`
    makes the fields of the rows that are on the page, and of no other.
    """
    first, last = _size(arguments, "first"), _size(arguments, "last")
    if first is None and last is None:
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    placed = [(_place(row, sort_key), row) for row in rows]
    placed.sort(key=lambda item: item[0], reverse=bool(arguments.get("reverse")))
    placed = placed[:LIST_MAXIMUM]
    window = _after_and_before(placed, arguments)
    page = window[:first] if first is not None else window[max(len(window) - (last or 0), 0) :]
    return _page(page, placed, show or (lambda row: row))


def _place(row: dict, sort_key: SortKey | None) -> list:
    key = row["key"] if "key" in row else row["id"]
    value = sort_key(row) if sort_key else key
    return [value.isoformat() if isinstance(value, datetime) else value, key]


def _size(arguments: dict, name: str) -> int | None:
    size = arguments.get(name)
    if size is not None and not 0 < size <= PAGE_MAXIMUM:
        raise GraphQLError(f"{name} must be between 1 and {PAGE_MAXIMUM}", extensions={"code": "BAD_REQUEST"})
    return size


def _after_and_before(placed: list, arguments: dict) -> list:
    reverse = bool(arguments.get("reverse"))
    if arguments.get("after"):
        start = _read(arguments["after"])
        placed = [item for item in placed if (item[0] < start if reverse else item[0] > start)]
    if arguments.get("before"):
        end = _read(arguments["before"])
        placed = [item for item in placed if (item[0] > end if reverse else item[0] < end)]
    return placed


def _read(cursor: str) -> list:
    try:
        value, key = json.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError, TypeError) as error:
        raise GraphQLError("Invalid cursor for current pagination sort.") from error
    return [value, key]


def _write(place: list) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _page(page: list, everything: list, show: Callable[[dict], dict]) -> dict:
    edges = [{"cursor": _write(place), "node": show(row)} for place, row in page]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "pageInfo": {
            "hasNextPage": bool(page) and page[-1] is not everything[-1],
            "hasPreviousPage": bool(page) and page[0] is not everything[0],
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }
