"""Keeping the last refused requests, so that staff can see what was wrong with them.

Anybody can have requests refused. So of each kind a process keeps one a second, of unknown senders one in ten seconds,
and of each account and app only the newest stay. What is wrong is found at once: nothing secret is kept for later. The
search takes a process a twentieth of its time at most.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote_plus, urlencode
from uuid import UUID

from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.utils import timezone

from integrations import signature_checks, signature_subjects
from integrations.claimed_signatures import HIDDEN, SHOWN
from integrations.models import AccountShopify, AccountShopline, Integration, RefusedRequest
from integrations.signature_checks import Finding

log = logging.getLogger(__name__)

OF_A_QUERY = ("incomplete", "malformed", "shop", "hmac", "timestamp")  # what is wrong with how it is signed or written
KEPT_OF_EACH = 50
KEPT = 500
KEPT_DAYS = 30
LONGEST_QUERY = 8_000
LONGEST_SEARCHED = 4_000  # characters of a query in which mistakes are looked for while the sender waits
LARGEST_BODY = 300_000  # bytes of a body
_PAUSES = {True: 1.0, False: 10.0}  # seconds, by whether the address names somebody
_REST = 20  # times what the last one took
_SIGNATURES = ("hmac", "signature")
_KNOWN = ("shop", "host", "timestamp", "merchant_id", "customer_id", "logged_in_customer_id", "path_prefix")
_SECRET_NAME = re.compile(
    r"code|state|nonce|token|secret|pass|pwd|session|auth|cookie|key|mail|phone|address|name|order", re.IGNORECASE
)
_PERSONAL = re.compile(r"@|%40|[0-9]{7}")
_LONGEST_VALUE = 100
_TOO_LONG = "The query is too long to be looked into on the way."
_HEADERS = ("topic", "shop-domain", "api-version", "webhook-id", "triggered-at")

Subject = AccountShopline | Integration
_lock = threading.Lock()
_writing = threading.Lock()
_next: dict[tuple[str, bool], float] = {}


@dataclass(frozen=True)
class _Refusal:
    kind: RefusedRequest.Kind
    is_known: bool  # whether the address names somebody
    rule: str
    query: str
    find: Callable[[Subject, datetime], Finding]


def note_storefront(request: HttpRequest, rule: str, account: AccountShopline | None) -> None:
    """Keep a refused request of SHOPLINE's App Proxy."""
    query = request.META.get("QUERY_STRING", "")

    def find(subject: Subject, at: datetime) -> Finding:
        assert isinstance(subject, AccountShopline)
        if len(query) > LONGEST_SEARCHED:
            return Finding(rule, _TOO_LONG)
        return signature_checks.shopline(query, signature_subjects.of_shopline(subject, at), at.timestamp())

    refusal = _Refusal(RefusedRequest.Kind.SHOPLINE_PROXY, account is not None, rule, hidden(query), find)
    if query and _is_time(refusal):
        _keep(request, refusal, lambda: account or _named(query))


def note_visit(request: HttpRequest, rule: str, uuid: UUID | None) -> None:
    """Keep a refused visit to the App URL, or a refused callback, of the app with this uuid."""
    query = request.META.get("QUERY_STRING", "")

    def find(subject: Subject, at: datetime) -> Finding:
        assert isinstance(subject, Integration)
        if len(query) > LONGEST_SEARCHED:
            return Finding(rule, _TOO_LONG)
        secrets = signature_subjects.of_integration(subject, at)
        return signature_checks.shopify_query(query, secrets, at.timestamp())

    refusal = _Refusal(RefusedRequest.Kind.SHOPIFY_QUERY, uuid is not None, rule, hidden(query), find)
    if query and _is_time(refusal):
        _keep(request, refusal, lambda: Integration.objects.filter(uuid=uuid).first() if uuid else None)


def note_webhook(request: HttpRequest, uuid: UUID, *, is_of_app: bool) -> None:
    """Keep a refused webhook: what its headers said, nothing of its body."""
    headers = {name.lower(): value for name, value in request.headers.items()}

    def find(subject: Subject, at: datetime) -> Finding:
        assert isinstance(subject, Integration)
        if len(request.body) > LARGEST_BODY:
            return Finding("hmac", "The body is too large to be looked into on the way.")
        return signature_checks.shopify_webhook(headers, request.body, signature_subjects.of_integration(subject, at))

    refusal = _Refusal(RefusedRequest.Kind.SHOPIFY_WEBHOOK, True, "hmac", _outline(headers), find)
    if _is_time(refusal):
        _keep(request, refusal, lambda: _addressee(uuid, is_of_app))


def hidden(query: str) -> str:
    """Return a query without its secrets and without what may be personal."""
    whole = "&".join(_hidden(part) for part in query[:LONGEST_QUERY].replace("\x00", "").split("&"))
    return f"{whole}&{HIDDEN}={HIDDEN}" if len(query) > LONGEST_QUERY else whole


def forget() -> None:
    """Delete what has been kept for long enough."""
    RefusedRequest.objects.filter(at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()


def _hidden(part: str) -> str:
    raw_name, equals, value = part.partition("=")
    name = unquote_plus(raw_name)
    if _PERSONAL.search(name):
        return f"{HIDDEN}{equals}{HIDDEN}"
    if name in _SIGNATURES:
        return f"{raw_name}{equals}{value[:SHOWN]}{HIDDEN}"
    is_plain = name in _KNOWN and len(value) <= _LONGEST_VALUE and "@" not in unquote_plus(value)
    if is_plain or not value:
        return part
    is_secret = _SECRET_NAME.search(name) or _PERSONAL.search(value) or len(value) > _LONGEST_VALUE
    return f"{raw_name}{equals}{HIDDEN}" if is_secret else part


def _hidden_word(word: str) -> str:
    """Hide what a page's address should not have: somebody's mail address, an order's or a phone's number."""
    return HIDDEN if "@" in word or re.fullmatch(r"[#+]?[0-9]{4,}", word) else word


def _outline(headers: dict[str, str]) -> str:
    told = {name: headers.get(f"x-shopify-{name}", "")[:_LONGEST_VALUE] for name in _HEADERS}
    claimed = headers.get("x-shopify-hmac-sha256", "")
    told |= {"hmac": f"{claimed[:SHOWN]}{HIDDEN}" if claimed else "", "bytes": headers.get("content-length", "")[:20]}
    return urlencode({name: value for name, value in told.items() if value}).replace("%2A", "*")


def _named(query: str) -> AccountShopline | None:
    """Return the account that a query names which could not be read without doubt, if it names one."""
    named = {value for part in query.split("&") if (value := part.removeprefix("merchant_id=")) != part}
    found = AccountShopline.objects.filter(merchant_id__in=[value[:100] for value in named][:2])
    return found.first() if len(named) == 1 else None


def _addressee(uuid: UUID, is_of_app: bool) -> Integration | None:
    if is_of_app:
        return Integration.objects.filter(uuid=uuid).first()
    account = AccountShopify.objects.select_related("integration").filter(uuid=uuid).first()
    return account.integration if account else None


def _is_time(refusal: _Refusal) -> bool:
    """Say whether this process may keep another one now."""
    with _lock:
        now = time.monotonic()
        if now < _next.get((refusal.kind, refusal.is_known), 0.0):
            return False
        _next[refusal.kind, refusal.is_known] = now + _PAUSES[refusal.is_known]
        return True


def _rest(refusal: _Refusal, started_at: float) -> None:
    """Keep none for a while, all the longer the longer this one took: anybody could send what takes long."""
    with _lock:
        now = time.monotonic()
        rested_at = now + _REST * (now - started_at)
        _next[refusal.kind, refusal.is_known] = max(_next[refusal.kind, refusal.is_known], rested_at)


def _keep(request: HttpRequest, refusal: _Refusal, subject_of: Callable[[], Subject | None]) -> None:
    """Write the row. Whatever becomes of it, the sender gets the same answer."""
    if not _writing.acquire(blocking=False):  # a locked database holds up one thread at most
        return
    started_at = time.monotonic()
    try:
        row = _row(request, refusal, subject_of())
        if row is not None:
            with transaction.atomic():
                row.save()
                _prune(row)
    except DatabaseError as error:
        log.warning("refused_request.not_kept", extra={"kind": refusal.kind, "error": type(error).__name__})
    finally:
        _rest(refusal, started_at)
        _writing.release()


def _row(request: HttpRequest, refusal: _Refusal, subject: Subject | None) -> RefusedRequest | None:
    if subject is None and refusal.kind == RefusedRequest.Kind.SHOPIFY_WEBHOOK:
        return None  # without an address there is nothing to compare it with
    row = RefusedRequest(kind=refusal.kind, rule=refusal.rule[:40], query=refusal.query, method=request.method or "")
    row.path = "/".join(map(_hidden_word, request.path.replace("\x00", "").split("/")))[:500]
    if subject is None:
        return row
    row.shopline = subject if isinstance(subject, AccountShopline) else None
    row.integration = subject if isinstance(subject, Integration) else None
    found = refusal.find(subject, row.at)
    row.rule = (found.rule or refusal.rule)[:40]
    if found.rule and not _PERSONAL.search(found.sentence):
        row.finding = found.sentence.replace("\x00", "")[:500]  # a name may hold what PostgreSQL does not take
    return row


def _prune(row: RefusedRequest) -> None:
    same = RefusedRequest.objects.filter(kind=row.kind, shopline=row.shopline_id, integration=row.integration_id)
    for rows, kept in ((same, KEPT_OF_EACH), (RefusedRequest.objects.all(), KEPT)):
        last = rows.order_by("-pk").values_list("pk", flat=True)[kept - 1 : kept].first()
        if last is not None:
            rows.filter(pk__lt=last).delete()
