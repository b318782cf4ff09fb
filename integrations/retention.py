"""What of webhooks, alerts and the audit trail is old enough to go. docs/privacy.md"""

from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from hemi.lib import queue, thinning
from hemi.lib.changes import ConfigurationChange
from hemi.lib.thinning import Slice
from integrations.models import AccountEvent, CollectionExport, PrivacyRequest, StaffAlert, WebhookEvent

TASK = "integrations.thin"
_Event, _Export = WebhookEvent.Status, CollectionExport.Status


def by_night() -> None:
    """Take out what is too old, at night only."""
    if thinning.is_time(timezone.now()):
        thin(Slice())


def thin(mine: Slice) -> int:
    """Take out what is too old, for one slice of time; return how many rows that were."""
    payloads, trail = thinning.payloads_before(), thinning.orders_before()
    _take(mine, "webhooks", _done(), "received_at", payloads)
    _take(mine, "webhooks", _failed(), "received_at", trail)
    _take(mine, "alerts", _over(payloads), "raised_at", payloads)
    _take(mine, "collection_exports", _expired(), "created_at", payloads)
    _take(mine, "account_events", AccountEvent.objects.all(), "at", trail)
    _take(mine, "configuration_changes", ConfigurationChange.objects.all(), "at", trail)
    _take(mine, "admin_log", LogEntry.objects.all(), "action_time", trail)
    if not mine.is_over:
        mine.counts["sessions"] += Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
    if mine.is_over:
        queue.kick(TASK)
    return mine.tell()


def _take(mine: Slice, name: str, rows: QuerySet, moment: str, before: datetime) -> None:
    old = rows.filter(**{f"{moment}__lt": before})
    mine.take(name, thinning.keys_before(rows, moment, before), thinning.deleter(old))


def _done() -> QuerySet[WebhookEvent]:
    """Webhooks that nothing waits for any more. What failed waits for a person."""
    return _unneeded(Q(status__in=[_Event.DONE, _Event.IGNORED]))


def _failed() -> QuerySet[WebhookEvent]:
    return _unneeded(Q(status=_Event.FAILED))


def _unneeded(which: Q) -> QuerySet[WebhookEvent]:
    # A privacy request reads from its webhook whom it is about.
    asked = PrivacyRequest.objects.filter(event=OuterRef("pk")).exclude(status=PrivacyRequest.Status.DONE)
    return WebhookEvent.objects.filter(~Exists(asked), which)


def _over(before: datetime) -> QuerySet[StaffAlert]:
    is_told = Q(over="") | Q(mailed_at=None) | Q(over_mailed_at__isnull=False)
    return StaffAlert.objects.filter(is_told, cleared_at__lt=before)


def _expired() -> QuerySet[CollectionExport]:
    return CollectionExport.objects.filter(status__in=[_Export.EXPIRED, _Export.FAILED])
