"""What Shopify sends a client's browser back with: checked in this order, then consumed once.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
"""

import logging

from django.utils import timezone

from hemi.lib import queue
from integrations import account_timeline, consent
from integrations.models import InstallLink
from integrations.services.refusals import VisitRefused
from integrations.shopify import signatures, signed_queries

log = logging.getLogger(__name__)

_REQUIRED = ("code", "hmac", "shop", "state", "timestamp")
_ASK = "Please open the link in your mail again, or ask your contact for a new one."
_SENTENCES = {
    "incomplete": f"The address that brought you here is not complete. {_ASK}",
    "malformed": f"The address that brought you here is damaged. {_ASK}",
    "shop": f"The address that brought you here does not name a Shopify store. {_ASK}",
    "declined": "The installation was cancelled, so nothing was connected. "
    "If that was a mistake, open the link in your mail again and choose Install.",
    "state_unknown": "We do not know this link. Please open the newest link in your mail, or ask your contact for one.",
    "state_replaced": "This link was replaced by a newer one. Please open the newest link in your mail.",
    "state_expired": "This link has expired, so nothing was connected.",
    "state_of_other_shop": "This link was made for another store. Please log in to the store that it was made for, "
    "then open the link in your mail again.",
    "hmac": f"We could not verify that this request comes from Shopify. {_ASK}",
    "timestamp": "This took too long. Nothing was connected. Please open the link in your mail again.",
    "state_used": "This link was used already; each link works once.",
}
_BAD_REQUESTS = ("incomplete", "malformed", "shop")


# The same for staff, on the account's timeline.
_TOLD = {
    "declined": "The client was asked for consent and declined.",
    "state_replaced": "The client followed an install link that a newer one had replaced.",
    "state_expired": "The client followed the install link after it had expired.",
    "state_of_other_shop": "The client followed the install link while logged in to another store.",
    "hmac": "A callback was refused: its signature does not fit the client secret of the integration. "
    "Check the secret, then let the client open the link again.",
    "timestamp": "A callback was refused: it was signed more than 90 seconds ago, or this machine's clock is wrong.",
    "state_used": "The client followed the install link again after it had been used.",
}
_SHOWN_CHARACTERS = 6  # of a digest: enough to compare two, useless to forge one


class CallbackRefused(VisitRefused):
    """A callback was refused by `rule`; `link` is known where its state was."""

    def __init__(self, rule: str, link: InstallLink | None = None) -> None:
        super().__init__(rule, _SENTENCES[rule], 400 if rule in _BAD_REQUESTS else 403, link)


def receive(query: str, account_id: int | None = None) -> InstallLink:
    """Check a callback's raw query, consume its state and hand its code on; raises CallbackRefused.

    The same state and code again is no error: it returns the same link.
    """
    try:
        fields = _parse(query)
        link = _find(fields["state"], _shop_name(fields))
        if account_id not in (None, link.account_id):  # pasted at another account than it belongs to
            raise CallbackRefused("state_of_other_shop", link)
        _verify(query, link, fields)
        return _consume(link, fields["code"])
    except CallbackRefused as refused:
        _note(refused, query)
        raise


def _parse(query: str) -> dict[str, str]:
    fields = dict(signed_queries.pairs(query))
    if "error" in fields and "code" not in fields:
        raise CallbackRefused("declined", _link_of(fields.get("state", "")))
    try:
        return signed_queries.read(query, _REQUIRED)
    except signed_queries.QueryRefused as refused:
        raise CallbackRefused(refused.rule) from None


def _shop_name(fields: dict[str, str]) -> str:
    try:
        return signed_queries.shop_name(fields)
    except signed_queries.QueryRefused as refused:
        raise CallbackRefused(refused.rule) from None


def _link_of(state: str) -> InstallLink | None:
    rows = InstallLink.objects.select_related("account", "integration__credentials")
    return rows.filter(state_hash=consent.digest(state)).first()


def _find(state: str, shop_name: str) -> InstallLink:
    link = _link_of(state)
    if link is None:
        raise CallbackRefused("state_unknown")
    is_outdated = link.status == InstallLink.Status.OPEN and link.integration_id != link.account.integration_id
    if is_outdated or link.status == InstallLink.Status.SUPERSEDED:
        raise CallbackRefused("state_replaced", link)
    if link.is_expired and not link.used_at:
        raise CallbackRefused("state_expired", link)
    if link.account.shop_name != shop_name:
        raise CallbackRefused("state_of_other_shop", link)
    return link


def _verify(query: str, link: InstallLink, fields: dict[str, str]) -> None:
    if not signatures.is_query_signed(query, _secrets(link)):
        raise CallbackRefused("hmac", link)
    timestamp, is_repeat = fields["timestamp"], link.code_hash == consent.digest(fields["code"])
    if not is_repeat and not signed_queries.is_near(timestamp):
        ids = {"install_link": link.pk, **link.account.log_ids}
        # If it is always so: this machine's clock.
        log.warning("callback.clock", extra={**ids, "seconds": signed_queries.seconds_off(timestamp)})
        raise CallbackRefused("timestamp", link)


def _secrets(link: InstallLink) -> list[str]:
    credentials = getattr(link.integration, "credentials", None)
    return credentials.secrets if credentials else []


def _note(refused: CallbackRefused, query: str) -> None:
    """Leave a line from which `verify_install` can explain the refusal, and one row a link and rule for staff."""
    link = refused.link
    told: dict[str, object] = {"rule": refused.rule, "signed": signed_queries.outline(query)}
    if link is not None:
        told |= {"install_link": link.pk, **link.account.log_ids}
        account_timeline.record_once(link.account, f"refused_{refused.rule}", _TOLD[refused.rule], link)
    if link is not None and refused.rule == "hmac":
        claimed = dict(signed_queries.pairs(query))["hmac"]
        made = [signatures.query_hmac(query, secret)[:_SHOWN_CHARACTERS] for secret in _secrets(link)]
        told |= {"claimed": claimed[:_SHOWN_CHARACTERS], "expected": ",".join(made)}
    log.warning("callback.refused", extra=told)


def _consume(link: InstallLink, code: str) -> InstallLink:
    code_hash = consent.digest(code)
    now = timezone.now()
    is_first = InstallLink.objects.filter(pk=link.pk, status=InstallLink.Status.OPEN).update(
        status=InstallLink.Status.CODE_RECEIVED,
        code=code,
        code_hash=code_hash,
        state="",
        used_at=now,
        mail=consent.NO_LONGER_DUE,
        next_reminder_at=None,
        attempts=0,
        claim_token="",
        lease_until=None,
        next_attempt_at=now,
        last_error="",
    )
    if is_first:
        account_timeline.record(link.account, "code_received", "The client gave consent; the code came back.", link)
        log.info("callback.accepted", extra={"install_link": link.pk, **link.account.log_ids})
        queue.kick("integrations.exchange_codes")
        return link
    link.refresh_from_db(fields=["code_hash", "status"])
    if link.code_hash != code_hash:
        raise CallbackRefused("state_used", link)
    return link
