"""Locations of a store, followed by webhook. The body is the REST resource; of one that is deleted, only its id."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from integrations import webhook_bodies
from integrations.models import Location, WebhookEvent

_ADDRESS = ("address1", "address2", "zip", "city", "province", "country_name")


def take(event: WebhookEvent) -> str:
    """Store what a location is now, unless something newer is stored. Raises BodyRefused."""
    data = webhook_bodies.read(event)
    shopify_id = webhook_bodies.number(data.get("id"))
    at = event.triggered_at or timezone.now()
    if event.topic in ("locations/delete", "locations/deactivate"):
        values: dict[str, Any] = {"is_active": False}
    else:
        values = {"name": _text(data, "name")[:255], "address": _address(data), "is_active": bool(data.get("active"))}
        if not values["name"]:
            raise webhook_bodies.BodyRefused("The body is not a location: it has no name.")
    with transaction.atomic():
        row = Location.objects.select_for_update().filter(account=event.account, shopify_id=shopify_id).first()
        if row is None and "name" in values:
            _, is_new = Location.objects.get_or_create(
                account=event.account, shopify_id=shopify_id, defaults={**values, "seen_at": at}
            )
            return "The location was added." if is_new else ""
        if row is None:
            return "Hemi did not know the location."
        if row.seen_at > at:
            return "Older than what Hemi knows of the location: nothing was changed."
        Location.objects.filter(pk=row.pk).update(**values, seen_at=at)
    return "The location was updated."


def _address(data: dict[str, Any]) -> str:
    return ", ".join(filter(None, (_text(data, name) for name in _ADDRESS)))[:500]


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value.replace("\x00", "").strip() if isinstance(value, str) else ""
