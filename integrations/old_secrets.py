"""Forget old App Proxy Secrets once their grace is over: what nobody needs is not kept.

For some days more the signature bench can tell that a refused signature was made with the last one.
"""

from datetime import timedelta

from django.utils import timezone

from integrations import shopline_timeline
from integrations.models import AccountShopline

EXPLAINED_DAYS = 14


def forget() -> int:
    """Empty the old secrets whose grace is over; return how many."""
    count, now = 0, timezone.now()
    retired = AccountShopline.objects.exclude(retired_app_proxy_secret="")  # noqa: S106 - only whether there is one
    retired.filter(secret_changed_at__lte=now - timedelta(days=EXPLAINED_DAYS)).update(retired_app_proxy_secret="")
    for account in AccountShopline.objects.filter(previous_secret_until__lte=now):
        rows = AccountShopline.objects.filter(pk=account.pk, previous_secret_until__lte=now)
        if rows.update(previous_app_proxy_secret="", previous_secret_until=None):
            shopline_timeline.record(account, "grace_over", "The grace of the old App Proxy Secret is over.")
            count += 1
    return count
