"""How far back a store lets Hemi see.

With `read_orders` an app sees the orders placed in the last 60 days; `read_all_orders`, which Shopify grants on
application, lifts that (shopify.dev/docs/api/usage/access-scopes). What is older is not listed, without an error.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from integrations import scopes
from integrations.models import AccountShopify

READ_ALL = "read_all_orders"
WINDOW = timedelta(days=60)


def seen_from(account: AccountShopify) -> datetime | None:
    """Return since when the store's orders can be seen; None if nothing is known to be hidden."""
    granted = account.granted_scopes  # unknown for a token that was pasted and never looked at
    return timezone.now() - WINDOW if granted and scopes.missing(READ_ALL, granted) else None


def limit(account: AccountShopify, since: datetime) -> str:
    """Say what stays hidden of the orders since `since`, in a sentence for staff; blank if nothing does."""
    oldest = seen_from(account)
    if oldest is None or since >= oldest:
        return ""
    return (
        f"Shopify shows this app the orders placed since {oldest:%Y-%m-%d} (60 days) and hides older ones, because "
        f"{READ_ALL} was not granted. Ask Shopify for that scope, then ask the client for it by a new install link."
    )
