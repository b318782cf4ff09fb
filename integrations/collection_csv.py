"""A store's collections as lines of CSV."""

import csv
import io
from collections.abc import Iterable
from urllib.parse import quote

from integrations.models import AccountShopify
from integrations.shopify.collection_lists import Collection

COLUMNS = ("id", "handle", "title", "kind", "products", "updated", "URL")
# What a spreadsheet would run: the last three are the wide forms that East Asian versions read alike.
_LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def head() -> bytes:
    """Return the first line; the mark at its beginning (utf-8-sig) tells spreadsheets the encoding."""
    return _text([COLUMNS]).encode("utf-8-sig")


def lines(account: AccountShopify, rows: Iterable[Collection]) -> bytes:
    """Return a line for each of the collections."""
    return _text(_row(account, row) for row in rows).encode()


def safe(cells: Iterable[str]) -> list[str]:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return [f"'{cell}" if cell.startswith(_LIVE) else cell for cell in cells]


def _text(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _row(account: AccountShopify, row: Collection) -> list[str]:
    products = "" if row.products is None else str(row.products)
    cells = (
        str(row.id),
        row.handle,
        row.title,
        "smart" if row.is_smart else "custom",
        products if row.is_exact else f"{products} or more",
        row.updated_at,
        f"https://{account.domain}/collections/{quote(row.handle)}",
    )
    return safe(cells)
