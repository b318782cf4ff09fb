"""The runner that exchanges the codes of install links for tokens."""

import logging
import time
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hemi.lib import claims, queue
from integrations import account_timeline, alerts, scope_check, scopes, token_leases, tokens
from integrations.models import InstallLink
from integrations.shopify import oauth
from integrations.shopify.errors import ShopifyError

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 10  # about five minutes: a client waits, and codes do not live long
SLICE_SECONDS = 20
LEASE = timedelta(minutes=2)  # longer than one exchange can take
_STILL = Q(status=InstallLink.Status.CODE_RECEIVED)


def exchange_codes() -> None:
    """Exchange the codes that are due, one claim each, for one slice of time."""
    due = InstallLink.objects.filter(_STILL).select_related("account", "integration__credentials")
    stop_at = time.monotonic() + SLICE_SECONDS
    while links := claims.claim(due.order_by("next_attempt_at"), still=_STILL, limit=1, lease=LEASE):
        _exchange(links[0])
        if time.monotonic() > stop_at:
            queue.kick("integrations.exchange_codes")
            return


def _exchange(link: InstallLink) -> None:
    credentials = getattr(link.integration, "credentials", None)
    if credentials is None:
        _fail(link, "The integration has no credentials any more.")
        return
    app = oauth.App(credentials.client_id, credentials.client_secret)
    try:
        # A renewal at the same time would buy a token that this one kills.
        with token_leases.hold(link.account_id):
            link.account.refresh_from_db(fields=["token_version"])
            is_expiring = link.integration.asks_for_expiring_tokens
            grant = oauth.exchange_code(link.account.store_url, app, link.code, is_expiring=is_expiring)
            _connect(link, grant)
    except ShopifyError as error:
        if error.is_temporary and link.attempts < MAX_ATTEMPTS:
            _wait(link, error)
        else:
            _fail(link, error.message)


def _connect(link: InstallLink, grant: oauth.TokenGrant) -> None:
    missing = scopes.missing(link.scopes, grant.scope)
    reason = f"These access scopes were not granted: {', '.join(missing)}"[:500] if missing else ""
    with transaction.atomic():
        if not _mine(link).update(
            status=InstallLink.Status.CONNECTED,
            code="",
            granted_scopes=grant.scope,
            reason=reason,
            connected_at=timezone.now(),
            lease_until=None,
            last_error="",
        ):
            return
        if not tokens.store(link.account, grant, seen_version=link.account.token_version, integration=link.integration):
            reason = "Another token was stored at the same time; that one was kept."
            InstallLink.objects.filter(pk=link.pk).update(reason=reason)
        account_timeline.record(link.account, "connected", "Connected: an access token was stored.", link)
        if reason:
            account_timeline.record(link.account, "scopes_cut" if missing else "token_kept", reason, link)
        alerts.clear_alert("install", link.account_id)
        scope_check.tell(link.account, scope_check.measure(link.account, tuple(grant.scope.split(","))))
    log.info("install.connected", extra={**_ids(link), "missing_scopes": len(missing)})


def _wait(link: InstallLink, error: ShopifyError) -> None:
    next_at = timezone.now() + claims.backoff(link.attempts, base=2, cap=60)
    _mine(link).update(lease_until=None, next_attempt_at=next_at, last_error=error.message)
    log.warning("install.waits", extra={**_ids(link), "error": error.message, "request_id": error.request_id})


def _fail(link: InstallLink, reason: str) -> None:
    with transaction.atomic():
        if not _mine(link).update(
            status=InstallLink.Status.FAILED, code="", reason=reason[:500], last_error=reason, lease_until=None
        ):
            return
        account_timeline.record(link.account, "install_failed", f"The connection failed: {reason}", link)
        alerts.raise_alert(
            "install",
            link.account_id,
            f"{link.account.shop_name} could not be connected",
            f"The owner of {link.account.shop_name} gave consent, but no access token came back: {reason}\n\n"
            "Check the client id and secret of the integration, then generate a new install link.",
        )
    log.warning("install.failed", extra={**_ids(link), "error": reason})


def _mine(link: InstallLink) -> QuerySet:
    return InstallLink.objects.filter(_STILL, pk=link.pk, claim_token=link.claim_token)


def _ids(link: InstallLink) -> dict[str, object]:
    return {"install_link": link.pk, **link.account.log_ids, "attempt": link.attempts}
