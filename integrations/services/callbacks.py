"""What Shopify sends a client's browser back with: checked in this order, then consumed once.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
"""

import logging
import re
import time
from urllib.parse import parse_qsl

from django.utils import timezone

from hemi.lib import queue
from integrations import consent
from integrations.models import InstallLink
from integrations.services.refusals import Refused
from integrations.shopify import domains, signatures

log = logging.getLogger(__name__)

NEAR_SECONDS = 90  # as in Shopify's own library
_REQUIRED = ("code", "hmac", "shop", "state", "timestamp")
_SHAPES = {
    "code": re.compile(r"[\x21-\x7e]{1,500}"),
    "hmac": re.compile(r"[0-9a-f]{64}"),
    "state": re.compile(r"[A-Za-z0-9._-]{1,200}"),
    "timestamp": re.compile(r"[0-9]{1,12}"),
}
_ASK = "Please open the link in your mail again, or ask your contact for a new one."
_SENTENCES = {
    "incomplete": f"The address that brought you here is not complete. {_ASK}",
    "malformed": f"The address that brought you here is damaged. {_ASK}",
    "shop": f"The address that brought you here does not name a Shopify store. {_ASK}",
    "declined": "The installation was cancelled, so nothing was connected. "
    "If that was a mistake, open the link in your mail again and choose Install.",
    "state_unknown": "We do not know this link. Please open the newest link in your mail, or ask your contact for one.",
    "state_replaced": "This link was replaced by a newer one. Please open the newest link in your mail.",
    "state_expired": "This link has expired. Please ask your contact for a new one.",
    "state_of_other_shop": "This link was made for another store. Please log in to the store that it was made for, "
    "then open the link in your mail again.",
    "hmac": f"We could not verify that this request comes from Shopify. {_ASK}",
    "timestamp": "This took too long. Nothing was connected. Please open the link in your mail again.",
    "state_used": "This link was used already. Please ask your contact for a new one if the store is not connected.",
}
_BAD_REQUESTS = ("incomplete", "malformed", "shop")


class CallbackRefused(Refused):
    """A callback was refused by `rule`; the text is a sentence for the client."""

    def __init__(self, rule: str) -> None:
        super().__init__(_SENTENCES[rule])
        self.rule = rule
        self.status = 400 if rule in _BAD_REQUESTS else 403


def receive(query: str) -> InstallLink:
    """Check a callback's raw query, consume its state and hand its code on; raises CallbackRefused.

    The same state and code again is no error: it returns the same link.
    """
    try:
        fields = _parse(query)
        shop_name = _shop_name(fields["shop"])
        link = _find(fields["state"], shop_name)
        _verify(query, link, int(fields["timestamp"]))
        return _consume(link, fields["code"])
    except CallbackRefused as refused:
        log.warning("callback.refused", extra={"rule": refused.rule})
        raise


def _parse(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100) if query.count("&") < 100 else []
    fields = dict(pairs)
    if "error" in fields and "code" not in fields:
        raise CallbackRefused("declined")
    if not all(fields.get(name) for name in _REQUIRED):
        raise CallbackRefused("incomplete")
    is_repeated = len(fields) != len([name for name, _ in pairs if not name.endswith("[]")])
    if is_repeated or not all(shape.fullmatch(fields[name]) for name, shape in _SHAPES.items()):
        raise CallbackRefused("malformed")
    return fields


def _shop_name(domain: str) -> str:
    try:
        return domains.from_domain(domain)
    except ValueError:
        raise CallbackRefused("shop") from None


def _find(state: str, shop_name: str) -> InstallLink:
    rows = InstallLink.objects.select_related("account", "integration__credentials")
    link = rows.filter(state_hash=consent.digest(state)).first()
    if link is None:
        raise CallbackRefused("state_unknown")
    is_outdated = link.status == InstallLink.Status.OPEN and link.integration_id != link.account.integration_id
    if is_outdated or link.status == InstallLink.Status.SUPERSEDED:
        raise CallbackRefused("state_replaced")
    if link.is_expired:
        raise CallbackRefused("state_expired")
    if link.account.shop_name != shop_name:
        raise CallbackRefused("state_of_other_shop")
    return link


def _verify(query: str, link: InstallLink, timestamp: int) -> None:
    credentials = getattr(link.integration, "credentials", None)
    if not signatures.is_query_signed(query, credentials.secrets if credentials else []):
        raise CallbackRefused("hmac")
    off_by = int(time.time()) - timestamp
    if abs(off_by) > NEAR_SECONDS:
        ids = {"install_link": link.pk, "account": link.account.shop_name}
        log.warning("callback.clock", extra={**ids, "seconds": off_by})  # if it is always so: this machine's clock
        raise CallbackRefused("timestamp")


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
        attempts=0,
        claim_token="",
        lease_until=None,
        next_attempt_at=now,
        last_error="",
    )
    if is_first:
        log.info("callback.accepted", extra={"install_link": link.pk, "account": link.account.shop_name})
        queue.kick("integrations.exchange_codes")
        return link
    link.refresh_from_db(fields=["code_hash", "status"])
    if link.code_hash != code_hash:
        raise CallbackRefused("state_used")
    return link
