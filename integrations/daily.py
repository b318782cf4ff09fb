"""The daily look at each account: its name, its scopes, the API's version, its webhooks; spread over the day."""

import logging
import time
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from hemi.lib import queue
from integrations import account_timeline, alerts, connections, renames, scope_check, tokens
from integrations.models import AccountShopify
from integrations.shopify import stores
from integrations.shopify.errors import ShopifyError

log = logging.getLogger(__name__)

SLICE_SECONDS = 40
ASK_SECONDS = 20.0
LEASE = timedelta(minutes=10)
AFTER_TROUBLE = timedelta(hours=1)
_DAY = 86_400
_STRIDE = 40_503  # neighbours in the table are hours apart
_CONNECTED = ~Q(access_token="")  # noqa: S106 - only whether there is one


def check_accounts() -> int:
    """Check the accounts whose time has come, for one slice of time; return how many."""
    done, stop_at = 0, time.monotonic() + SLICE_SECONDS
    while account := _claim():
        _check(account)
        done += 1
        if time.monotonic() > stop_at:
            queue.kick("integrations.check_accounts")
            break
    return done


def next_check(account_id: int, now: datetime) -> datetime:
    """Return the account's own second of the day, after `now`."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + timedelta(seconds=account_id * _STRIDE % _DAY)
    return at if at > now else at + timedelta(days=1)


def _claim() -> AccountShopify | None:
    """Take the next account by moving its next check: whoever moved it from what was read has it."""
    now = timezone.now()
    due = AccountShopify.objects.filter(_CONNECTED, next_check_at__lte=now)
    for account in due.select_related("integration__credentials").order_by("next_check_at")[:5]:
        mine = due.filter(pk=account.pk, next_check_at=account.next_check_at)
        if mine.update(next_check_at=now + LEASE):
            return account
    return None


def _check(account: AccountShopify) -> None:
    now = timezone.now()
    row = AccountShopify.objects.filter(pk=account.pk)
    try:
        # Asked even where Shopify refused the token: if that was its mistake, it is over by itself.
        with connections.client_for(account, ASK_SECONDS, interactive=True) as client:
            if renames.follow(account, stores.shop(client)):
                row.update(next_check_at=now)  # the rest is asked at its new address
                return
            scope_check.compare(account, client)
            _compare_version(account, client.served_version)
    except ShopifyError as error:
        log.warning("account.not_checked", extra={**account.log_ids, "error": error.message})
        row.update(next_check_at=now + AFTER_TROUBLE if error.is_temporary else next_check(account.pk, now))
        return
    # The webhooks have a runner of their own, with its retries: it lists, compares and mends.
    row.update(checked_at=now, next_check_at=next_check(account.pk, now))
    row.filter(_CONNECTED).update(**tokens.due_webhooks())
    queue.kick("integrations.subscribe_webhooks")
    log.info("account.checked", extra={**account.log_ids})


def _compare_version(account: AccountShopify, served: str) -> None:
    asked = connections.store_of(account).version
    if not served or served == asked:
        alerts.clear_alert("api_version", account.pk)
        return
    account_timeline.record(account, "api_version", f"Shopify answers in the API version {served} instead of {asked}.")
    alerts.raise_alert(
        "api_version",
        account.pk,
        f"{account.shop_name} is answered in another API version",
        f"Hemi asks for {asked}, Shopify answers in {served}: the version has ended, or is not out yet. "
        "Change the API version of the integration, or the setting SHOPIFY_API_VERSION.",
    )
