"""Explain why a callback or a visit to the App URL was refused, without a secret, a code or a whole digest."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from integrations import consent
from integrations.models import AccountShopify, InstallLink, IntegrationCredentials
from integrations.shopify import signatures, signed_queries

SHOWN = 8  # characters of a digest: enough to compare two, useless to forge one
_CALLBACK = ("code", "hmac", "shop", "state", "timestamp")
_VISIT = ("hmac", "shop", "timestamp")
WHY = {
    "declined": "The client pressed Cancel on Shopify's page. The link still works.",
    "incomplete": "A parameter that Shopify always sends is missing or empty: the address was cut, or typed by hand.",
    "malformed": "A parameter stands there twice, or is not in Shopify's shape: the address was changed on the way.",
    "shop": "The parameter shop is not <name>.myshopify.com in full.",
    "state_unknown": "No install link has this state: it is of another Hemi, or was deleted.",
    "state_replaced": "A newer link was made, or the account has another app now. Send the newest link.",
    "state_expired": "The link was followed after its time. Send a new one.",
    "state_of_other_shop": "The client was logged in to another store than the link was made for.",
    "state_used": "Another code was taken for this link already. Send a new one if the store is not connected.",
    "hmac": "The signature was not made with this app's client secret. Compare the secret with the one at Shopify; "
    "after a rotation both must be here. Otherwise a proxy on the way changes the address.",
    "timestamp": f"It was signed more than {signed_queries.NEAR_SECONDS} seconds before it arrived, or this machine's "
    "clock is wrong: compare it with a time server.",
    "app_unknown": "No active integration has this App URL.",
    "other_app": "The account has another Integration App than the one whose App URL was opened.",
    "not_ready": "No install link can be made for the account; its page says why at “Generate Install Link”.",
    "too_many": "Too many links or stores were made by visits within the hour.",
}


@dataclass(frozen=True)
class _Seen:
    """An address under examination: whose account it should be, and what it says."""

    account: AccountShopify
    query: str
    fields: dict[str, str]
    link: InstallLink | None


def explain_account(account: AccountShopify) -> Iterator[str]:
    """Say how the newest link stands, and what was refused about it."""
    link = account.install_links.order_by("-pk").first()
    if link is None:
        yield "There is no install link for this account yet."
        return
    yield f"The newest link is {link.pk}: {link.get_status_display()}. {link.reason}".rstrip()
    yield f"It asks Shopify to come back to {link.redirect_uri}"
    yield from (f"{event.at:%Y-%m-%d %H:%M:%S} UTC  {event.text}" for event in link.events.order_by("pk"))


def explain_line(account: AccountShopify, line: str) -> Iterator[str]:
    """Explain a line of the log, as console or as JSON."""
    fields = _fields(line)
    rule = fields.get("rule", "")
    if rule not in WHY:
        yield "This is no line of a refused callback: it must hold rule=…, from callback.refused or arrival.refused."
        return
    yield f"Signed:   {fields.get('signed') or 'not known'}"
    yield f"Rule:     {rule}"
    if fields.get("claimed"):
        yield f"Digest:   claimed {fields['claimed']}…, expected {fields.get('expected') or 'nothing: no secret'}…"
    if fields.get("account", account.shop_name) not in account.names:
        yield f"Account:  the line is about {fields['account']}, not about {account.shop_name}."
    if fields.get("install_link", "").isdecimal():
        link = InstallLink.objects.filter(pk=int(fields["install_link"])).first()
        yield f"Link:     {fields['install_link']}, now {link.get_status_display() if link else 'deleted'}"
    yield f"Why:      {WHY[rule]}"


def explain_address(account: AccountShopify, address: str) -> Iterator[str]:
    """Check an address that a browser was sent to, rule by rule as a callback is, changing nothing."""
    parts = urlsplit(address.strip())
    is_visit = "/shopify/install/" in parts.path
    query = parts.query or parts.path
    fields = dict(signed_queries.pairs(query))
    link = InstallLink.objects.select_related("account", "integration__credentials")
    found = link.filter(state_hash=consent.digest(fields.get("state", ""))).first()
    seen = _Seen(account, query, fields, found)
    yield f"Signed:   {signed_queries.outline(query)}"
    if "error" in fields and "code" not in fields:
        yield f"FAILED    declined: {WHY['declined']}"
        return
    try:
        signed_queries.read(query, _VISIT if is_visit else _CALLBACK)
        name = signed_queries.shop_name(fields)
    except signed_queries.QueryRefused as refused:
        yield f"FAILED    {refused.rule}: {WHY[refused.rule]}"
        return
    yield "ok        complete, in shape, and of a shop"
    if not is_visit:
        yield from _state(seen, name)
    elif name != account.shop_name:
        yield f"FAILED    the visit is of {name}, the account is {account.shop_name}"
    yield from _hmac(seen)
    off_by = signed_queries.seconds_off(fields["timestamp"])
    is_near = signed_queries.is_near(fields["timestamp"])
    at_most = f"signed {off_by} seconds ago; at most {signed_queries.NEAR_SECONDS} when it arrived"
    yield f"ok        timestamp: {at_most}" if is_near else f"{'LATE':<10}timestamp: {at_most}. {WHY['timestamp']}"


def _state(seen: _Seen, shop_name: str) -> Iterator[str]:
    link = seen.link
    if link is None:
        yield f"FAILED    state_unknown: {WHY['state_unknown']}"
        return
    if link.account_id != seen.account.pk:
        yield f"FAILED    the link {link.pk} is of the account {link.account}, not of {seen.account}"
    yield f"ok        state: the link {link.pk}, {link.get_status_display()}"
    if rule := _rule_of(link, shop_name):
        yield f"FAILED    {rule}: {WHY[rule]}"


def _rule_of(link: InstallLink, shop_name: str) -> str:
    is_outdated = link.status == InstallLink.Status.OPEN and link.integration_id != link.account.integration_id
    if is_outdated or link.status == InstallLink.Status.SUPERSEDED:
        return "state_replaced"
    if link.is_expired:
        return "state_expired"
    if link.account.shop_name != shop_name:
        return "state_of_other_shop"
    return "" if link.status == InstallLink.Status.OPEN else "state_used"


def _hmac(seen: _Seen) -> Iterator[str]:
    integration = seen.link.integration if seen.link else seen.account.integration
    credentials = getattr(integration, "credentials", None) if integration else None
    if credentials is None or not credentials.secrets:
        yield "FAILED    hmac: the integration has no client secret, so nothing can be verified"
        return
    claimed = seen.fields["hmac"]
    yield f"          the digest claimed begins {claimed[:SHOWN]}"
    for name, secret in zip(("current", "previous"), credentials.secrets, strict=False):
        yield f"          with the {name} secret it begins {signatures.query_hmac(seen.query, secret)[:SHOWN]}"
    if signatures.is_query_signed(seen.query, credentials.secrets):
        yield "ok        hmac"
        return
    yield f"FAILED    hmac: {WHY['hmac']}"
    yield from _whose(seen, credentials)


def _whose(seen: _Seen, known: IntegrationCredentials) -> Iterator[str]:
    if signatures.is_query_signed(seen.query, [str(known.previous_client_secret)]):
        yield "          The previous secret fits, but its time is over: see the credentials of the integration."
    for other in IntegrationCredentials.objects.exclude(pk=known.pk).select_related("integration"):
        if signatures.is_query_signed(seen.query, other.secrets):
            yield f"          It was signed by another app: {other.integration.name}."


def _fields(line: str) -> dict[str, str]:
    line = line.strip()
    try:
        data = json.loads(line)
    except ValueError:
        try:
            words = shlex.split(line)
        except ValueError:  # a quote that does not close
            words = line.split()
        return dict(word.split("=", 1) for word in words if "=" in word)
    return {name: str(value) for name, value in data.items()} if isinstance(data, dict) else {}
