"""An account's token: stored by compare-and-swap, so that the slower of two writers changes nothing, and kept fresh.

docs/decisions/one-lease-per-token.md
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from hemi.lib import claims, queue
from integrations import account_timeline, alerts, problems, token_grants, token_leases
from integrations.models import AccountShopify, Integration
from integrations.shopify.errors import Kind, ShopifyError
from integrations.shopify.oauth import TokenGrant
from integrations.token_grants import Way

log = logging.getLogger(__name__)

MARGIN = timedelta(seconds=60)  # a token that ends sooner is renewed before it is used
TROUBLED_ATTEMPTS = 6  # about three minutes of failures; then staff are told
_Problem = AccountShopify.Problem


def fresh_token(account: AccountShopify, *, refused: str = "", interactive: bool = False) -> str:
    """Return a token that works for another minute, renewing it first if need be; raises ShopifyError.

    `refused` is a token that Shopify did not take: another one is wanted. One caller renews, the others wait for its
    result. Where the client must authorise again only what a person asks for still tries.
    """
    give_up_at = time.monotonic() + token_leases.WAIT_SECONDS
    while True:
        row = _read(account.pk)
        if _is_usable(row, refused):
            if row.problem == _Problem.REAUTHORISE and not interactive:
                raise ShopifyError(Kind.REAUTHORISE, f"{row.get_problem_display()}. {row.problem_text}")
            return row.access_token
        _refuse_what_is_in_vain(row, refused)
        if lease := token_leases.win(row.pk):
            try:
                row = _read(row.pk)  # the one before may have renewed it
                if _is_usable(row, refused):
                    return row.access_token
                _refuse_what_is_in_vain(row, refused)
                if token := _renew_or_make_do(row, refused):
                    return token  # else another one was stored meanwhile: look again
            finally:
                token_leases.release(row.pk, lease)
        elif time.monotonic() > give_up_at:
            raise token_leases.busy()
        else:
            time.sleep(token_leases.POLL_SECONDS)


def renew(account: AccountShopify) -> str:
    """Get and store the next token of a row that was read under its lease; "" if another was stored meanwhile.

    Raises ShopifyError; what it means for the account has been recorded by then.
    """
    asked_at, wish = timezone.now(), token_grants.wish(account)
    way = wish.way
    try:
        grant = token_grants.ask(wish)
    except ShopifyError as error:
        _failed(account, way, error)
        raise
    first = {} if account.access_token else _authorised()
    more = {"token_integration": wish.integration, **first}
    if not _swap(account, grant, asked_at, seen_version=account.token_version, **more):
        log.warning("token.dropped", extra={**account.log_ids, "way": way})
        return ""
    log.info("token.renewed", extra={**account.log_ids, "way": way, "expires_in": grant.expires_in})
    if way == Way.MOVE:
        account_timeline.record(account, "token_moved", "Moved to an expiring token, which Hemi renews.")
    if first:
        account_timeline.record(account, "connected", "Connected by client id and secret.")
        queue.kick("integrations.subscribe_webhooks")
    return grant.access_token


def store(
    account: AccountShopify, grant: TokenGrant, *, seen_version: int, integration: Integration | None = None
) -> bool:
    """Store a token if nobody stored one since `seen_version`; the account is then authorised, its webhooks due.

    `integration` is the app that got it, if not the account's. Orders count from the first authorisation unless staff
    said otherwise. Safe inside a transaction.
    """
    more = {"token_integration": integration or account.integration, **_authorised()}
    is_stored = _swap(account, grant, timezone.now(), seen_version=seen_version, **more)
    if is_stored:
        problems.clear(account.pk, "A new access token was stored.")
        log.info("account.authorised", extra={**account.log_ids, "token_version": seen_version + 1})
        queue.kick("integrations.subscribe_webhooks")
    return is_stored


def drop(account: AccountShopify) -> None:
    """Forget the account's tokens; whoever is renewing them stores nothing any more. Safe inside a transaction."""
    AccountShopify.objects.filter(pk=account.pk).update(
        access_token="",
        refresh_token="",
        token_expires_at=None,
        refresh_expires_at=None,
        granted_scopes="",
        token_integration=None,
        expiring_asked_at=None,
        token_version=F("token_version") + 1,
    )
    problems.clear(account.pk, "The access token was dropped.")


def due_webhooks() -> dict[str, object]:
    """Return the columns that ask for the webhooks to be subscribed now."""
    return {
        "webhooks": AccountShopify.Webhooks.DUE,
        "webhooks_error": "",
        "webhooks_attempts": 0,
        "webhooks_next_attempt_at": timezone.now(),
    }


def _read(account_id: int) -> AccountShopify:
    return AccountShopify.objects.select_related("integration", "token_integration").get(pk=account_id)


def _is_waiting(row: AccountShopify) -> bool:
    """Say whether Shopify gave no new token a moment ago and is to be left alone for now."""
    return bool(row.token_attempts) and row.token_next_attempt_at > timezone.now()


def _is_usable(row: AccountShopify, refused: str) -> bool:
    margin = timedelta() if _is_waiting(row) else MARGIN
    is_over = row.token_expires_at is not None and row.token_expires_at <= timezone.now() + margin
    return bool(row.access_token) and row.access_token != refused and not is_over


def _refuse_what_is_in_vain(row: AccountShopify, refused: str) -> None:
    """Raise where asking Shopify for the row's next token leads nowhere, or did so a moment ago."""
    if token_grants.way(row) == Way.NONE:
        if not row.access_token:
            raise ShopifyError(Kind.UNAUTHORISED, f"{row.shop_name} is not authorised: it has no access token.")
        said = "Shopify does not accept the access token any more, and it cannot be renewed."
        problems.say(row.pk, _Problem.REAUTHORISE, said, seen_version=row.token_version)
        raise ShopifyError(Kind.UNAUTHORISED, said, status=401)
    if row.problem == _Problem.REAUTHORISE and token_grants.way(row) != Way.CREDENTIALS:
        raise ShopifyError(Kind.REAUTHORISE, f"{row.get_problem_display()}. {row.problem_text}")
    if _is_waiting(row):
        at = f"{row.token_next_attempt_at:%H:%M:%S} UTC"
        raise ShopifyError(Kind.TEMPORARY, f"Shopify gave no new token. Hemi tries again at {at}.")


def _renew_or_make_do(row: AccountShopify, refused: str) -> str:
    try:
        return renew(row)
    except ShopifyError as error:
        row = _read(row.pk)
        if error.is_temporary and _is_usable(row, refused):
            return row.access_token  # it was to be renewed early, and still works
        raise


def _swap(account: AccountShopify, grant: TokenGrant, asked_at: datetime, *, seen_version: int, **more: object) -> bool:
    """Store all that a grant says in one UPDATE, if the token is still the one that was seen."""
    with transaction.atomic():
        is_stored = AccountShopify.objects.filter(pk=account.pk, token_version=seen_version).update(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            token_expires_at=_end(asked_at, grant.expires_in),
            refresh_expires_at=_end(asked_at, grant.refresh_expires_in),
            granted_scopes=grant.scope,
            token_version=F("token_version") + 1,
            token_attempts=0,
            token_next_attempt_at=asked_at,
            expiring_asked_at=None,
            **more,
        )
        if is_stored and AccountShopify.objects.filter(pk=account.pk, problem__in=problems.OF_THE_TOKEN).exists():
            problems.clear(account.pk)
        if is_stored:
            alerts.clear_alert("token_move", account.pk)
    return bool(is_stored)


def _end(asked_at: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else asked_at + timedelta(seconds=seconds)


def _authorised() -> dict[str, object]:
    now = timezone.now().replace(microsecond=0)  # orders are placed to the second, and those of this second count
    return {
        "authorised_at": now,
        "orders_from": Coalesce("orders_from", Value(now)),
        "disconnected_at": None,
        "disconnect_reason": "",
        "next_check_at": now,  # what is granted is compared with what is needed
        **due_webhooks(),
    }


def _failed(row: AccountShopify, way: Way, error: ShopifyError) -> None:
    attempts = row.token_attempts + 1
    ids = {**row.log_ids, "way": way, "attempt": attempts, "request_id": error.request_id}
    log.warning("token.not_renewed", extra={**ids, "error": error.message, "kind": error.kind})
    with transaction.atomic():  # whoever waits for this result reads all of it at once
        mine = AccountShopify.objects.filter(pk=row.pk, token_version=row.token_version)
        wait = claims.backoff(attempts, cap=300 if error.is_temporary else 3600)
        if mine.update(token_attempts=attempts, token_next_attempt_at=timezone.now() + wait):
            _say(row, way, error, attempts)


def _say(row: AccountShopify, way: Way, error: ShopifyError, attempts: int) -> None:
    if way == Way.MOVE and not error.is_temporary:
        _give_up_move(row, error)
    elif error.kind == Kind.REAUTHORISE and way == Way.REFRESH:
        said = f"Shopify does not renew the access token: {error.message}"
        problems.say(row.pk, _Problem.REAUTHORISE, said, seen_version=row.token_version)
    elif not error.is_temporary or attempts >= TROUBLED_ATTEMPTS:
        problems.say(row.pk, _Problem.NO_TOKEN, error.message, seen_version=row.token_version)


def _give_up_move(row: AccountShopify, error: ShopifyError) -> None:
    AccountShopify.objects.filter(pk=row.pk).update(expiring_asked_at=None, token_attempts=0)
    said = f"The move to an expiring token was refused: {error.message}"
    account_timeline.record(row, "token_not_moved", said)
    text = f"{said}\n\nThe old token stays. Check the client id and secret of the integration, then try again."
    alerts.raise_alert("token_move", row.pk, f"{row.shop_name} keeps its token", text)
