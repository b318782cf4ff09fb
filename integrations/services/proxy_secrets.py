"""What staff may do with the App Proxy Secret of a SHOPLINE account: make or paste it, revoke it, end the grace."""

import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from hemi.lib.fields import Secret
from integrations import shopline_timeline
from integrations.models import AccountShopline
from integrations.services.proxy_settings import locked
from integrations.services.refusals import Refused

MOST_MINUTES = 24 * 60
_ONE_WORD = re.compile(r"[\x21-\x7e]{8,500}")
_MEANWHILE = "The secret was changed since you opened this. Look at the account again."


@dataclass(frozen=True)
class Wish:
    """Which secret was `seen` (a `mark`), the pasted one where SHOPLINE made it, and how long the old one holds."""

    seen: str
    pasted: str = field(default="", repr=False)
    minutes: int = 0


def mark(account: AccountShopline) -> str:
    """Return what tells the stored secret from its forerunners, without saying anything of it."""
    since = account.secret_changed_at
    return since.isoformat() if since else ("undated" if account.app_proxy_secret else "none")


def why_not_make(account: AccountShopline) -> str:
    """Return why Hemi cannot make the first secret, in one sentence; blank if it can."""
    if account.app_proxy_secret:
        return "A secret is stored; press Revoke to have a new one in its place."
    if not account.plays_storefront:
        return "SHOPLINE makes the secret of this account: paste it on the tab App Proxy."
    return ""


def why_not_revoke(account: AccountShopline) -> str:
    """Return why there is nothing to revoke, in one sentence; blank if there is."""
    if account.app_proxy_secret:
        return ""
    todo = "press Make secret, under More" if account.plays_storefront else "paste SHOPLINE's on the tab App Proxy"
    return f"No secret is stored yet: {todo}."


def why_not_end(account: AccountShopline) -> str:
    """Return why there is no grace to end, in one sentence; blank if there is one."""
    return "" if len(account.secrets) > 1 else "No old secret is accepted any more."


def why_not_pasted(pasted: str) -> str:
    """Return why this is no secret of SHOPLINE's, in one sentence; blank if it may be one."""
    if _ONE_WORD.fullmatch(pasted):
        return ""
    return "This is not what SHOPLINE shows: at least 8 plain characters, without spaces."


def store_first(*, account: AccountShopline, wish: Wish, by: Any) -> Secret:
    """Store the account's first secret, pasted or made here, and return it to be shown once. Raises Refused."""
    with transaction.atomic():
        row = locked(account)
        if row.app_proxy_secret:
            raise Refused(_MEANWHILE)
        secret = _new(row, wish.pasted)
        _store(row, secret, None)
        text = "The App Proxy Secret was pasted." if wish.pasted else "The App Proxy Secret was made."
        shopline_timeline.record(row, "secret_stored", text, actor=by)
    return secret


def revoke(*, account: AccountShopline, wish: Wish, by: Any) -> Secret:
    """Put a new secret in the place of the one that was seen, and return it to be shown once. Raises Refused.

    The old one is accepted for `wish.minutes` more, and one that was still in its grace not at all.
    """
    if not 0 <= wish.minutes <= MOST_MINUTES:
        raise Refused(f"The grace is 0 to {MOST_MINUTES} minutes.")
    with transaction.atomic():
        row = locked(account)
        if reason := why_not_revoke(row):
            raise Refused(reason)
        if wish.seen != mark(row):
            raise Refused(_MEANWHILE)
        secret = _new(row, wish.pasted)
        if hmac.compare_digest(secret.encode(), row.app_proxy_secret.encode()):
            raise Refused("This is the secret that is stored already. Press Revoke at SHOPLINE and paste the new one.")
        until = timezone.now() + timedelta(minutes=wish.minutes) if wish.minutes else None
        _store(row, secret, until)
        grace = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "no longer"
        text = f"The App Proxy Secret was revoked; the old one is accepted {grace}."
        shopline_timeline.record(row, "secret_revoked", text, actor=by)
    return secret


def end_grace(*, account: AccountShopline, by: Any) -> None:
    """Forget the old secret now. Raises Refused."""
    with transaction.atomic():
        row = locked(account)
        if reason := why_not_end(row):
            raise Refused(reason)
        rows = AccountShopline.objects.filter(pk=row.pk)
        rows.update(previous_app_proxy_secret="", previous_secret_until=None)
        shopline_timeline.record(row, "grace_ended", "The old App Proxy Secret is no longer accepted.", actor=by)


def _new(row: AccountShopline, pasted: str) -> Secret:
    if row.plays_storefront and pasted:
        raise Refused("Hemi makes the secret of this account: leave it blank.")
    if not row.plays_storefront and (reason := why_not_pasted(pasted)):
        raise Refused(reason)
    return Secret(pasted or secrets.token_hex(32))


def _store(row: AccountShopline, secret: Secret, old_until: datetime | None) -> None:
    AccountShopline.objects.filter(pk=row.pk).update(
        app_proxy_secret=secret,
        previous_app_proxy_secret=row.app_proxy_secret if old_until else "",
        previous_secret_until=old_until,
        retired_app_proxy_secret=row.app_proxy_secret,
        secret_changed_at=timezone.now(),
    )
