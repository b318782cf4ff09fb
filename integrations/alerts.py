"""What staff must know: one row while it lasts, mailed once."""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.utils import timezone

from hemi.lib import claims, mailing, queue
from integrations.models import StaffAlert

log = logging.getLogger(__name__)
_WAITING = Q(mailed_at=None, cleared_at=None)


def raise_alert(kind: str, key: object, subject: str, text: str) -> None:
    """Open the alert of this kind about `key` unless it is open already. Safe inside a transaction."""
    alert = StaffAlert(kind=kind, key=str(key), subject=" ".join(subject.split())[:200], text=text)
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
    StaffAlert.objects.filter(kind=kind, key=str(key), cleared_at=None).update(cleared_at=timezone.now())


def send() -> None:
    """Mail what was not mailed yet. Without a mail server or an address the alerts wait, visible in the admin."""
    if not settings.IS_MAIL_SET or not settings.STAFF_ALERT_EMAILS:
        return
    waiting = StaffAlert.objects.filter(_WAITING).order_by("pk")
    while alerts := claims.claim(waiting, still=_WAITING, limit=1, lease=timedelta(minutes=2)):
        _send(alerts[0])


def _send(alert: StaffAlert) -> None:
    mine = StaffAlert.objects.filter(pk=alert.pk, claim_token=alert.claim_token)
    try:
        EmailMessage(f"[Hemi] {alert.subject}", alert.text, to=settings.STAFF_ALERT_EMAILS).send()
    except mailing.ERRORS as error:
        wait = claims.backoff(alert.attempts)
        mine.update(lease_until=None, next_attempt_at=timezone.now() + wait, last_error=str(error)[:1000])
        log.warning("alert.mail_failed", extra={"alert": alert.pk, "error": type(error).__name__})
        return
    mine.update(lease_until=None, mailed_at=timezone.now(), last_error="")
    log.info("alert.mailed", extra={"alert": alert.pk})
