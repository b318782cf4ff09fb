"""One lease an account around whatever changes its token: renewing one, and acquiring one.

Two renewals at once would kill each other's refresh token. No transaction is open while Shopify is asked.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from integrations.models import AccountShopify
from integrations.shopify.errors import Kind, ShopifyError

LEASE = timedelta(minutes=2)  # longer than a renewal with its repeats can take
WAIT_SECONDS = 30.0
POLL_SECONDS = 0.1


def win(account_id: int) -> str:
    """Take the lease if it is free; return its token, "" where somebody else has it."""
    now, token = timezone.now(), uuid.uuid4().hex
    free = AccountShopify.objects.filter(Q(token_lease_until=None) | Q(token_lease_until__lt=now), pk=account_id)
    return token if free.update(token_lease=token, token_lease_until=now + LEASE) else ""


def release(account_id: int, lease: str) -> None:
    """Give the lease back, if it is still this one."""
    mine = AccountShopify.objects.filter(pk=account_id, token_lease=lease)
    mine.update(token_lease="", token_lease_until=None)


@contextmanager
def hold(account_id: int) -> Iterator[None]:
    """Hold the lease inside the block; raises a temporary ShopifyError if it is not free in time."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not (lease := win(account_id)):
        if time.monotonic() > give_up_at:
            raise busy()
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        release(account_id, lease)


def busy() -> ShopifyError:
    """Return the error of whoever waited in vain."""
    return ShopifyError(Kind.TEMPORARY, "Somebody else is getting a token for this account. Try again in a minute.")
