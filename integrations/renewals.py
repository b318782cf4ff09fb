"""The runner that renews tokens before they end, and gets the first one where id and secret are enough."""

import logging
import time
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from hemi.lib import queue
from integrations import token_leases, tokens
from integrations.models import AccountShopify, Integration
from integrations.shopify.errors import ShopifyError

log = logging.getLogger(__name__)

EARLY = timedelta(minutes=10)  # an hour's token
CREDENTIALS_EARLY = timedelta(hours=3)  # a day's token: time for a person if it fails
KEEP_ALIVE = timedelta(days=60)  # of the refresh token's ninety days: a paused account is renewed once a month
SLICE_SECONDS = 20
_MOST = 500


def renew_tokens() -> None:
    """Renew what is due, one lease each, for one slice of time."""
    stop_at = time.monotonic() + SLICE_SECONDS
    for account_id in list(due().order_by("token_expires_at").values_list("pk", flat=True)[:_MOST]):
        _renew(account_id)
        if time.monotonic() > stop_at:
            queue.kick("integrations.renew_tokens")
            return


def due() -> QuerySet[AccountShopify]:
    """Return the accounts whose next token is due; never one whose client must authorise again, unless its app needs
    nobody for that."""
    now = timezone.now()
    by_credentials = Q(integration__app_type=Integration.AppType.ORGANISATION)
    is_of_another = Q(token_integration__isnull=False) & ~Q(token_integration=F("integration"))
    had_by_credentials = by_credentials | Q(token_integration__app_type=Integration.AppType.ORGANISATION)
    ends = Q(token_expires_at__lte=now + CREDENTIALS_EARLY) & had_by_credentials
    must_authorise = Q(problem=AccountShopify.Problem.REAUTHORISE)
    ends |= by_credentials & (is_of_another | must_authorise)
    ends |= Q(token_expires_at__lte=now + EARLY, paused_at=None) & ~Q(refresh_token="")
    ends |= Q(refresh_expires_at__lte=now + KEEP_ALIVE)
    ends |= by_credentials & Q(access_token="", integration__credentials__isnull=False)
    ends |= Q(expiring_asked_at__isnull=False, refresh_token="") & ~Q(access_token="")
    rows = AccountShopify.objects.filter(ends, token_next_attempt_at__lte=now, disconnected_at=None)
    return rows.filter(by_credentials | ~must_authorise)


def _renew(account_id: int) -> None:
    lease = token_leases.win(account_id)
    if not lease:
        return
    try:
        account = due().filter(pk=account_id).select_related("integration", "token_integration").first()
        if account:
            tokens.renew(account)
    except ShopifyError as error:  # tokens has recorded what it means
        log.info("token.waits", extra={"account": account_id, "kind": error.kind})
    finally:
        token_leases.release(account_id, lease)
