"""A store's collections as a CSV file: all of them, or an error."""

import csv
import io
from collections.abc import Iterable
from urllib.parse import quote

from integrations import connections
from integrations.models import AccountShopify
from integrations.shopify import queries
from integrations.shopify.errors import Kind, ShopifyError

DEADLINE_SECONDS = 25.0
MOST = 25_000  # Shopify's lists end there, without a word
COLUMNS = ("id", "handle", "title", "kind", "products", "updated", "URL")
# What a spreadsheet would run: the last three are the wide forms that East Asian versions read alike.
_LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(account: AccountShopify) -> bytes:
    """Read all collections of the store, whole or not at all; raises ShopifyError.

    At most about 5 MB of text. The mark at its beginning (utf-8-sig) tells spreadsheets the encoding.
    """
    with connections.client_for(account, DEADLINE_SECONDS) as client:
        nodes = list(client.nodes(queries.COLLECTIONS, "collections"))
    if len(nodes) >= MOST:
        raise ShopifyError(Kind.PERMANENT, f"The store has more collections than Shopify lists ({MOST:,}).")
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    rows.writerows(_row(account, node) for node in nodes)
    return text.getvalue().encode("utf-8-sig")


def safe(cells: Iterable[str]) -> list[str]:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return [f"'{cell}" if cell.startswith(_LIVE) else cell for cell in cells]


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
