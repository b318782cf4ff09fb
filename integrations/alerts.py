"""What staff must know: one row while it lasts, mailed once, and its end where staff wait for it."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.utils import timezone

from hemi.lib import claims, mailing, queue
from integrations.models import StaffAlert

log = logging.getLogger(__name__)
INTERVAL = timedelta(hours=1)  # between two mails of one kind about one thing
_NEWS = Q(mailed_at=None, cleared_at=None)
_IS_OVER = Q(mailed_at__isnull=False, cleared_at__isnull=False, over_mailed_at=None) & ~Q(over="")
_WAITING = _NEWS | _IS_OVER


def raise_alert(kind: str, key: object, subject: str, text: str, *, over: str = "") -> None:
    """Open the alert of this kind about `key` unless it is open already. Safe inside a transaction.

    `over` is for what comes and goes: it is mailed when the alert is cleared, and the alert at most once an interval.
    """
    alert = StaffAlert(kind=kind, key=str(key), subject=" ".join(subject.split())[:200], text=text, over=over)
    if over:
        alert.next_attempt_at = max(timezone.now(), _last_mail(kind, key) + INTERVAL)
    StaffAlert.objects.bulk_create([alert], ignore_conflicts=True)
    log.warning("alert.raised", extra={"kind": kind, "key": str(key)})
    queue.kick("integrations.send_alerts")


def renew_alert(kind: str, key: object, subject: str, text: str) -> None:
    """Open the alert, in place of an open one that says something else. Safe inside a transaction."""
    rows = StaffAlert.objects.filter(kind=kind, key=str(key), cleared_at=None)
    rows.exclude(text=text).update(cleared_at=timezone.now())
    raise_alert(kind, key, subject, text)


def clear_alert(kind: str, key: object) -> None:
    """Close the alert of this kind about `key`, if it is open."""
    alerts = StaffAlert.objects.filter(kind=kind, key=str(key), cleared_at=None)
    if alerts.exists() and alerts.update(cleared_at=timezone.now(), next_attempt_at=timezone.now()):
        queue.kick("integrations.send_alerts")


def drop_alert(kind: str, key: object) -> None:
    """Close it without an all-clear: it was about what nobody uses any more."""
    StaffAlert.objects.filter(kind=kind, key=str(key), cleared_at=None).update(cleared_at=timezone.now(), over="")


def open_about(kind: str) -> list[str]:
    """Return what the open alerts of this kind are about."""
    return list(StaffAlert.objects.filter(kind=kind, cleared_at=None).values_list("key", flat=True))


def send() -> None:
    """Mail what was not mailed yet. Without a mail server or an address the alerts wait, visible in the admin."""
    if not settings.IS_MAIL_SET or not settings.STAFF_ALERT_EMAILS:
        return
    waiting = StaffAlert.objects.filter(_WAITING).order_by("pk")
    while alerts := claims.claim(waiting, still=_WAITING, limit=1, lease=timedelta(minutes=2)):
        _send(alerts[0])


def _last_mail(kind: str, key: object) -> datetime:
    """Return when staff last heard of this; where they never did, long ago."""
    mailed = StaffAlert.objects.filter(kind=kind, key=str(key)).exclude(mailed_at=None)
    return mailed.order_by("-mailed_at").values_list("mailed_at", flat=True).first() or timezone.now() - 2 * INTERVAL


def _send(alert: StaffAlert) -> None:
    mine = StaffAlert.objects.filter(pk=alert.pk, claim_token=alert.claim_token)
    is_over = alert.mailed_at is not None
    subject, text = (f"Over: {alert.subject}", alert.over) if is_over else (alert.subject, alert.text)
    try:
        EmailMessage(f"[Hemi] {subject}"[:200], text, to=settings.STAFF_ALERT_EMAILS).send()
    except mailing.ERRORS as error:
        wait = claims.backoff(alert.attempts)
        mine.update(lease_until=None, next_attempt_at=timezone.now() + wait, last_error=str(error)[:1000])
        log.warning("alert.mail_failed", extra={"alert": alert.pk, "error": type(error).__name__})
        return
    _mailed(mine, "over_mailed_at" if is_over else "mailed_at")
    log.info("alert.mailed", extra={"alert": alert.pk, "is_over": is_over})


def _mailed(mine: QuerySet[StaffAlert], column: str) -> None:
    mine.update(lease_until=None, last_error="", attempts=0, **{column: timezone.now()})
