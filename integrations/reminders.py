"""The runner that reminds clients of an install link that they were mailed and did not follow."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from hemi.lib import queue
from integrations import scopes
from integrations.models import InstallLink

MOST = 2
BATCH = 200


def next_at(link: InstallLink, mailed_at: datetime) -> datetime | None:
    """Return when the client is reminded next after a mail of `mailed_at`; none once it was often enough."""
    if link.reminders >= MOST or settings.INSTALL_REMINDER_DAYS <= 0:
        return None
    at = mailed_at + timedelta(days=settings.INSTALL_REMINDER_DAYS)
    return at if at < link.expires_at else None


def remind_clients() -> None:
    """Have the mail of each link whose reminder is due sent once more."""
    now = timezone.now()
    due = Q(
        status=InstallLink.Status.OPEN,
        mail=InstallLink.Mail.SENT,
        reminders__lt=MOST,
        next_reminder_at__lte=now,
        expires_at__gt=now,
    )
    rows = InstallLink.objects.filter(due)
    for link in rows.select_related("account").order_by("next_reminder_at")[:BATCH]:
        mine = rows.filter(pk=link.pk, reminders=link.reminders)
        if _is_settled(link):
            mine.update(next_reminder_at=None)
            continue
        if mine.update(
            mail=InstallLink.Mail.DUE,
            mailed_to=link.account.client_email,
            reminders=link.reminders + 1,
            next_reminder_at=None,
            attempts=0,
            next_attempt_at=now,
            mail_error="",
            claim_token="",
            lease_until=None,
        ):
            queue.kick("integrations.send_install_mails")


def _is_settled(link: InstallLink) -> bool:
    """Say whether there is nothing left to remind of: the store has granted all by another way, or has no address."""
    account = link.account
    is_granted = account.is_authorised and not scopes.missing(link.scopes, account.granted_scopes)
    return is_granted or not account.client_email or account.integration_id != link.integration_id
