"""What a person may ask of outboxes that a restore has closed."""

import logging
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from hemi.lib import queue
from orders.services import Refused
from suppliers import recall, revisions
from suppliers.models import Endpoint, Restoration
from suppliers.recall import Found

log = logging.getLogger("suppliers")

BATCH = 200
UNFINISHED = "The restore was not finished. Run: python manage.py finish_restore"


def closed() -> QuerySet[Endpoint]:
    """Return the endpoints whose outbox a restore has closed."""
    return Endpoint.objects.exclude(closed_at=None)


def why_not_open(endpoint: Endpoint) -> str:
    """Say why there is nothing to open, or why not yet."""
    if endpoint.closed_at is None:
        return "No restore has closed its outbox."
    return "" if Restoration.objects.filter(restored_at__gte=endpoint.closed_at).exists() else UNFINISHED


def open_outbox(*, endpoint: Endpoint, by: Any) -> Found:
    """Look up in the journal what waits for a closed endpoint, then let it go on. Raises Refused."""
    if reason := why_not_open(Endpoint.objects.get(pk=endpoint.pk)):
        raise Refused(reason)
    found = recall.settle(endpoint)
    if not closed().filter(pk=endpoint.pk).update(closed_at=None, attempts=0, next_attempt_at=timezone.now()):
        raise Refused("Somebody else has opened it meanwhile.")
    orders = sorted(found.orders)
    for start in range(0, len(orders), BATCH):
        revisions.look_again(orders[start : start + BATCH])  # what was cancelled meanwhile waits for this
    counts = {"sent": found.sent, "uncertain": found.uncertain, "due": found.due}
    log.info("outbox.opened", extra={"endpoint_id": endpoint.pk, "by": getattr(by, "pk", None), **counts})
    queue.kick("suppliers.deliver", endpoint.pk)
    return found


def told(found: Found) -> str:
    """Say what the journal came to."""
    return f"{found.sent} found as sent, {found.uncertain} uncertain, {found.due} go out now."
