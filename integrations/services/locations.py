"""A store's locations, read while a person waits."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations import connections
from integrations.models import AccountShopify, Location
from integrations.shopify import stores

DEADLINE_SECONDS = 25.0


def refresh(*, account: AccountShopify, by: Any) -> int:
    """Read all locations of the store and return how many are active; what vanished is marked inactive.

    Raises ShopifyError, and then nothing has changed.
    """
    now = timezone.now()
    with connections.client_for(account, DEADLINE_SECONDS, interactive=True) as client:
        rows = [_location(account, place, now) for place in stores.places(client)]
    with transaction.atomic():
        Location.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["account", "shopify_id"],
            update_fields=["name", "address", "is_active", "seen_at"],
        )
        account.locations.filter(seen_at__lt=now).update(is_active=False)
    return sum(row.is_active for row in rows)


def _location(account: AccountShopify, place: stores.Place, now: datetime) -> Location:
    return Location(
        account=account,
        shopify_id=place.id,
        name=place.name[:255],
        address=place.address[:500],
        is_active=place.is_active,
        seen_at=now,
    )
