"""What staff may do with a stored webhook."""

import logging
from typing import Any

from django.conf import settings
from django.utils import timezone

from hemi.lib import queue
from integrations import alerts
from integrations.models import WebhookEvent
from integrations.services.refusals import Refused

log = logging.getLogger(__name__)
_REPLAYABLE = (WebhookEvent.Status.FAILED, WebhookEvent.Status.IGNORED)


def why_not_replay(event: WebhookEvent) -> str:
    """Return why the webhook cannot be processed again, in one sentence; blank if it can."""
    if event.redacted_at:
        return "The customer's data was removed from this webhook; there is nothing left to process."
    if event.status not in _REPLAYABLE:
        return "Only a webhook that failed or was ignored can be processed again."
    if event.topic not in settings.WEBHOOK_HANDLERS:
        return f"Nothing in Hemi takes webhooks of the topic {event.topic}."
    return ""


def replay(*, event: WebhookEvent, by: Any) -> None:
    """Process a failed or ignored webhook again. Raises Refused."""
    if reason := why_not_replay(event):
        raise Refused(reason)
    if not WebhookEvent.objects.filter(pk=event.pk, status__in=_REPLAYABLE).update(
        status=WebhookEvent.Status.NEW, attempts=0, next_attempt_at=timezone.now(), lease_until=None, last_error=""
    ):
        raise Refused("The webhook is being processed already.")
    alerts.clear_alert("webhook", event.pk)
    log.info("webhook.replayed", extra={"webhook_event": event.pk, "by": by.pk if by else None})
    queue.kick("integrations.process_events")
