"""What staff ask the signature bench. It stores nothing, logs nothing that was pasted, and signs for nobody."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from django.db.models import Q
from django.utils import timezone

from integrations import signature_checks, signature_subjects
from integrations.claimed_signatures import HIDDEN
from integrations.models import AccountShopline, Integration, RefusedRequest
from integrations.services.refusals import Refused
from integrations.signature_checks import Finding, Secrets

log = logging.getLogger(__name__)

Kind = RefusedRequest.Kind
Subject = AccountShopline | Integration
SHOWN = 25
PERMISSION = "integrations.use_signature_bench"
_CHECKS = {
    Kind.SHOPLINE_PROXY: signature_checks.shopline,
    Kind.SHOPIFY_QUERY: signature_checks.shopify_query,
    Kind.SHOPIFY_PROXY: signature_checks.shopify_proxy,
}
_TOLD = {
    "used": "The signature is right, but it came a second time: a request that changes something is taken once.",
    "clock": "Its timestamp was too far from the time at which it came.",
}
_NOT_KEPT = "Values that may be secret were not kept, so it cannot be worked out again; this was found at the time."


def may_use(user: Any) -> bool:
    """Say whether a member of staff may use the bench."""
    return bool(user.is_active and user.is_staff and user.has_perm(PERMISSION))


def accounts(user: Any) -> Sequence[AccountShopline]:
    """Return the SHOPLINE accounts that the user may check for."""
    return list(AccountShopline.objects.all()) if _may_see(user, "accountshopline") else []


def integrations(user: Any) -> Sequence[Integration]:
    """Return the apps that the user may check for."""
    return list(Integration.objects.all()) if _may_see(user, "integration") else []


def last_refused(user: Any) -> Sequence[RefusedRequest]:
    """Return the newest refused requests of whom the user may see."""
    seen = Q(shopline=None, integration=None)
    if _may_see(user, "accountshopline"):
        seen |= Q(shopline__isnull=False)
    if _may_see(user, "integration"):
        seen |= Q(integration__isnull=False)
    return list(RefusedRequest.objects.filter(seen).select_related("shopline", "integration")[:SHOWN])


def check_address(*, kind: str, subject: Subject, address: str, by: Any) -> Finding:
    """Check a pasted address, or only its query; raises Refused."""
    if (kind == Kind.SHOPLINE_PROXY) != isinstance(subject, AccountShopline):
        wanted = "an Account SHOPLINE" if kind == Kind.SHOPLINE_PROXY else "an integration"
        raise Refused(f"Choose {wanted} for this kind.")
    found = _check_query(kind, subject, query_of(address), timezone.now())
    _note(kind, subject, found, by)
    return found


def check_webhook(*, integration: Integration, headers: str, body: str, by: Any) -> Finding:
    """Check pasted headers and a pasted body."""
    if not isinstance(integration, Integration):
        raise Refused("Choose an integration for this kind.")
    secrets = signature_subjects.of_integration(integration, timezone.now())
    # Browsers send pasted lines with CR and LF, and pasting adds a line break; Shopify's bodies end without one.
    content = body.replace("\r\n", "\n").removesuffix("\n").encode()
    found = signature_checks.shopify_webhook(_headers(headers), content, secrets)
    _note(Kind.SHOPIFY_WEBHOOK, integration, found, by)
    return found


def check_kept(*, row: RefusedRequest, by: Any) -> Finding:
    """Say what was found when a request was refused, and what can still be seen of it."""
    subject = row.shopline or row.integration
    if subject is None:
        raise Refused("It names no account or app that Hemi knows. Choose whose it should have been, then press Check.")
    if row.kind == Kind.SHOPIFY_WEBHOOK or f"={HIDDEN}" in row.query:
        values = {name: found[0] for name, found in parse_qs(row.query, keep_blank_values=True).items()}
        claimed = values.get("hmac") or values.get("signature", "")
        told = row.finding or _plain(row)
        shown = json.dumps(values, ensure_ascii=False, indent=2)
        found = Finding(row.rule, told, _NOT_KEPT, parsed=shown, claimed=claimed.removesuffix(HIDDEN))
    else:
        found = _check_query(row.kind, subject, row.query, row.at)
        told = row.finding or _plain(row)
        found = replace(found, rule=row.rule, told=told, advice="")
    _note(row.kind, subject, found, by)
    return found


def query_of(address: str) -> str:
    """Return the query of an address, of a path, or what is only a query."""
    bare = "".join(address.split()).partition("#")[0]
    before, mark, query = bare.partition("?")
    return query if mark else before if "=" in before and "://" not in before else ""


def _check_query(kind: str, subject: Subject, query: str, at: datetime) -> Finding:
    if not query:
        return Finding(
            "no query", "There is nothing after a “?” in it.", "Paste the whole address, parameters and all."
        )
    secrets = _secrets(subject, at)
    found = _CHECKS[Kind(kind)](query, secrets, at.timestamp())
    named = parse_qs(query).get("merchant_id", [])
    if isinstance(subject, AccountShopline) and found.rule and named and named[0] != subject.merchant_id:
        advice = f"It names the merchant “{named[0][:60]}”, and {subject} was chosen. {found.advice}"
        return replace(found, advice=advice)
    return found


def _secrets(subject: Subject, at: datetime) -> Secrets:
    if isinstance(subject, AccountShopline):
        return signature_subjects.of_shopline(subject, at)
    return signature_subjects.of_integration(subject, at)


def _headers(text: str) -> dict[str, str]:
    """Read `Name: value` lines, as browsers, curl and logs show them."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.strip().removeprefix("-H ").strip("\"', ").partition(":")
        name = name.strip("\"' ").lower().removeprefix("http_").replace("_", "-")
        found[name] = value.strip("\"', ")
    return found


def _plain(row: RefusedRequest) -> str:
    return _TOLD.get(row.rule) or f"It was refused: {row.shown_rule}."


def _may_see(user: Any, model: str) -> bool:
    return any(user.has_perm(f"integrations.{what}_{model}") for what in ("view", "change"))


def _note(kind: str, subject: Subject, found: Finding, by: Any) -> None:
    ids = {"subject": f"{subject._meta.label} {subject.pk}", "by": by.pk}
    log.info("signature_bench.checked", extra={"kind": str(kind), **ids, "rule": found.rule or "accepted"})
