"""The runner that ends install links whose time is over."""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations import account_timeline, alerts, consent
from integrations.models import InstallLink

BATCH = 200


def expire_links() -> None:
    """Make open links that are too old expired, and say so on their accounts."""
    due = Q(status=InstallLink.Status.OPEN, expires_at__lte=timezone.now())
    for link in InstallLink.objects.filter(due).select_related("account").order_by("pk")[:BATCH]:
        end(link)


def end(link: InstallLink) -> bool:
    """Make one open link expired; False if somebody else ended or used it first."""
    text = f"The install link expired unused on {link.expires_at:%Y-%m-%d %H:%M} UTC."
    with transaction.atomic():
        rows = InstallLink.objects.filter(pk=link.pk, status=InstallLink.Status.OPEN)
        if not rows.update(status=InstallLink.Status.EXPIRED, reason=text, **consent.CLOSED):
            return False
        account_timeline.record(link.account, "link_expired", text, link)
        alerts.clear_alert("install_mail", link.pk)
    return True
