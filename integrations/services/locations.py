"""A store's locations, read while a person waits."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations import connections
from integrations.models import AccountShopify, Location
from integrations.shopify import queries

DEADLINE_SECONDS = 25.0


def refresh(*, account: AccountShopify, by: Any) -> int:
    """Read all locations of the store and return how many are active; what vanished is marked inactive.

    Raises ShopifyError, and then nothing has changed.
    """
    now = timezone.now()
    with connections.client_for(account, DEADLINE_SECONDS) as client:
        rows = [_location(account, node, now) for node in client.nodes(queries.LOCATIONS, "locations")]
    with transaction.atomic():
        Location.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["account", "shopify_id"],
            update_fields=["name", "address", "is_active", "seen_at"],
        )
        account.locations.filter(seen_at__lt=now).update(is_active=False)
    return sum(row.is_active for row in rows)


def _location(account: AccountShopify, node: dict, now: Any) -> Location:
    return Location(
        account=account,
        shopify_id=int(node["legacyResourceId"]),
        name=node["name"][:255],
        address=", ".join(node["address"]["formatted"])[:500],
        is_active=node["isActive"],
        seen_at=now,
    )
