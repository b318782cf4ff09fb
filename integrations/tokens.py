"""Store a store's token: by compare-and-swap, so that the slower of two writers changes nothing."""

import logging

from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from hemi.lib import queue
from integrations.models import AccountShopify

log = logging.getLogger(__name__)


def store(account: AccountShopify, token: str, granted_scopes: str, *, seen_version: int) -> bool:
    """Store a token if nobody stored one since `seen_version`; the account is then authorised, its webhooks due.

    Orders count from the first authorisation unless staff said otherwise. Safe inside a transaction.
    """
    now = timezone.now().replace(microsecond=0)  # orders are placed to the second, and those of this second count
    is_stored = AccountShopify.objects.filter(pk=account.pk, token_version=seen_version).update(
        access_token=token,
        token_version=F("token_version") + 1,
        granted_scopes=granted_scopes,
        authorised_at=now,
        orders_from=Coalesce("orders_from", Value(now)),
        **due_webhooks(),
    )
    if is_stored:
        log.info("account.authorised", extra={"account": account.shop_name, "token_version": seen_version + 1})
        queue.kick("integrations.subscribe_webhooks")
    return bool(is_stored)


def due_webhooks() -> dict[str, object]:
    """Return the columns that ask for the webhooks to be subscribed now."""
    return {
        "webhooks": AccountShopify.Webhooks.DUE,
        "webhooks_error": "",
        "webhooks_attempts": 0,
        "webhooks_next_attempt_at": timezone.now(),
    }
