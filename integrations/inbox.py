"""The runner that takes what stores posted to those who asked for it."""

import logging
import time
import traceback
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from hemi.lib import claims, logs, queue
from integrations import alerts, receipts, webhook_bodies
from integrations.models import WebhookEvent
from integrations.shopify import payloads
from integrations.shopify.errors import ShopifyError

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
BATCH = 20
SLICE_SECONDS = 20
LEASE = timedelta(seconds=50)  # longer than one webhook can take
# Not "in": with that SQLite reads the whole table, and not the index of what is due.
_STILL = Q(status=WebhookEvent.Status.NEW)
# What a disconnected store has to say is of no use; an uninstall or a privacy request always is.
_OF_THE_STORE = ("orders/", "fulfillments/", "fulfillment_orders/", "locations/")


def process_events() -> None:
    """Process the events that are due, oldest first, for one slice of time."""
    due = WebhookEvent.objects.filter(_STILL).select_related("account").order_by("next_attempt_at")
    stop_at = time.monotonic() + SLICE_SECONDS
    while events := claims.claim(due, still=_STILL, limit=BATCH, lease=LEASE):
        for event in claims.each(events, LEASE):
            with logs.following(webhook_event=event.pk):
                _process(event)
        receipts.note(events)
        if time.monotonic() > stop_at:
            queue.kick("integrations.process_events")
            return


def _process(event: WebhookEvent) -> None:
    handlers = settings.WEBHOOK_HANDLERS.get(event.topic, [])
    if _is_too_late(event):
        note = "The account is disconnected."
        _mine(event).update(status=WebhookEvent.Status.IGNORED, lease_until=None, last_error="", note=note)
        return
    if event.attempts > MAX_ATTEMPTS:  # nothing was recorded for the last try: it took its worker with it
        _give_up(event, {"last_error": "Each try ended without a word; the worker may have been killed by it."})
        return
    try:
        notes = [note for name in handlers if (note := import_string(name)(event))]
    except webhook_bodies.BodyRefused as refusal:
        _give_up(event, {"note": str(refusal)})
        return
    except payloads.PayloadError as error:  # the same body will not be read any better later
        _give_up(event, {"last_error": str(error)[:1000]})
        return
    except Exception as error:  # noqa: BLE001 - whatever a payload brings about: it is recorded and the next one goes on
        _record_failure(event, error)
        return
    status = WebhookEvent.Status.DONE if handlers else WebhookEvent.Status.IGNORED
    told = {"note": " ".join(notes)[:500]} if notes else {}
    _mine(event).update(status=status, lease_until=None, last_error="", **told)
    log.info("webhook.processed", extra=_ids(event))


def _is_too_late(event: WebhookEvent) -> bool:
    """Say whether it happened after the account was disconnected; what is only slow is taken."""
    ended_at = event.account.disconnected_at
    is_of_the_store = event.topic.startswith(_OF_THE_STORE)
    return is_of_the_store and ended_at is not None and (event.triggered_at or event.received_at) >= ended_at


def _record_failure(event: WebhookEvent, error: Exception) -> None:
    # The message may quote the payload, but for what Shopify answered.
    place = traceback.extract_tb(error.__traceback__)[-1]
    error_at = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
    log.warning("webhook.failed", extra={**_ids(event), "error": type(error).__name__, "error_at": error_at})
    said = error.message if isinstance(error, ShopifyError) else type(error).__name__
    said = f"{said} ({error_at})".replace("\x00", "")[:1000]
    if event.attempts < MAX_ATTEMPTS:
        next_at = timezone.now() + claims.backoff(event.attempts)
        _mine(event).update(lease_until=None, next_attempt_at=next_at, last_error=said)
        return
    _give_up(event, {"last_error": said})


def _give_up(event: WebhookEvent, why: dict[str, str]) -> None:
    with transaction.atomic():
        if _mine(event).update(status=WebhookEvent.Status.FAILED, lease_until=None, **why):
            alerts.raise_alert(
                "webhook",
                event.pk,
                f"A webhook of {event.account.shop_name} could not be processed",
                f"{event.topic} of {event.account.shop_name} was tried {event.attempts} times.\n\n"
                "Open it in the admin under Webhook events; it says what went wrong. "
                "Once that is mended, choose “Process again” there.",
            )
    log.warning("webhook.given_up", extra=_ids(event))


def _mine(event: WebhookEvent) -> QuerySet[WebhookEvent]:
    return WebhookEvent.objects.filter(pk=event.pk, claim_token=event.claim_token)


def _ids(event: WebhookEvent) -> dict[str, object]:
    return {"webhook_event": event.pk, "topic": event.topic, **event.account.log_ids}
