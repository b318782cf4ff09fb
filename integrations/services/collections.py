"""A store's collections as a CSV file: all of them, or an error. Small stores at once, large ones in the background."""

import logging
from typing import Any

from hemi.lib import queue
from integrations import collection_csv, connections
from integrations.models import AccountShopify, CollectionExport
from integrations.services import accounts
from integrations.services.refusals import Refused
from integrations.shopify import collection_lists
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 25.0
MOST = 25_000  # Shopify's lists end there, without a word
AT_ONCE = 1_000  # collections that a person waits for: ten calls


def count(account: AccountShopify) -> int:
    """Return how many collections the store has; raises ShopifyError."""
    with connections.client_for(account, DEADLINE_SECONDS, interactive=True) as client:
        return collection_lists.count(client)


def as_csv(account: AccountShopify) -> bytes:
    """Read all collections of the store, whole or not at all; raises ShopifyError.

    At most about 5 MB of text.
    """
    with connections.client_for(account, DEADLINE_SECONDS, interactive=True) as client:
        found = collection_lists.whole(client)
    if len(found) >= MOST:
        raise ShopifyError(Kind.PERMANENT, f"The store has more collections than Shopify lists ({MOST:,}).")
    return collection_csv.head() + collection_csv.lines(account, found)


def why_not_export(account: AccountShopify) -> str:
    """Return why no file can be made in the background, in one sentence; blank if one can."""
    if reason := accounts.why_not_read(account):
        return reason
    if account.collection_exports.filter(status=CollectionExport.Status.WAITING).exists():
        return "A file is being made already; see Collection exports."
    return ""


def export(*, account: AccountShopify, by: Any) -> CollectionExport:
    """Ask for the file to be made by a worker; it is kept for a day. Raises Refused."""
    if reason := why_not_export(account):
        raise Refused(reason)
    made = CollectionExport.objects.create(account=account, made_by=by)
    log.info("collections.asked", extra={"account": account.pk, "export": made.pk, "by": by.pk if by else None})
    queue.kick("integrations.export_collections")
    return made
