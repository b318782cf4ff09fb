"""A store's collections as lines of CSV."""

import csv
import io
from collections.abc import Iterable
from urllib.parse import quote

from integrations.models import AccountShopify

COLUMNS = ("id", "handle", "title", "kind", "products", "updated", "URL")
# What a spreadsheet would run: the last three are the wide forms that East Asian versions read alike.
_LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def head() -> bytes:
    """Return the first line; the mark at its beginning (utf-8-sig) tells spreadsheets the encoding."""
    return _text([COLUMNS]).encode("utf-8-sig")


def lines(account: AccountShopify, nodes: Iterable[dict]) -> bytes:
    """Return a line for each of the collections as Shopify lists them."""
    return _text(_row(account, node) for node in nodes).encode()


def safe(cells: Iterable[str]) -> list[str]:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return [f"'{cell}" if cell.startswith(_LIVE) else cell for cell in cells]


def _text(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _row(account: AccountShopify, node: dict) -> list[str]:
    count = node["productsCount"] or {"count": "", "precision": "EXACT"}
    is_smart = any(source.get("inclusion", {"conditions": [source]})["conditions"] for source in node["sources"])
    cells = (
        node["legacyResourceId"],
        node["handle"],
        node["title"],
        "smart" if is_smart else "custom",
        f"{count['count']}" if count["precision"] == "EXACT" else f"{count['count']} or more",
        node["updatedAt"],
        f"https://{account.domain}/collections/{quote(node['handle'])}",
    )
    return safe(str(cell) for cell in cells)
