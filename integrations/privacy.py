"""The runner that answers privacy requests: gathers what is held on a customer, or removes it for ever.

Each app sees to its own rows, by the tables PRIVACY_… of the settings. Nothing here needs a token.
"""

import json
import logging
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from hemi.lib import claims, erasure, queue
from integrations import account_timeline, alerts, ledger, redaction, request_journal, webhook_bodies
from integrations.models import AccountShopify, PrivacyRequest, StaffAlert, WebhookEvent
from integrations.subjects import Known, Subject

log = logging.getLogger(__name__)

TERM = timedelta(days=30)
WARN_BEFORE = timedelta(days=5)
LEASE = timedelta(minutes=30)
LOOK_AGAIN = timedelta(minutes=10)
MOST_TOLD = 10
Kind, Status = PrivacyRequest.Kind, PrivacyRequest.Status
_GATHERED = Q(kind=Kind.DATA_REQUEST, answer__isnull=False)
_STILL = Q(status=Status.WAITING) & ~_GATHERED


class NotSettled(Exception):
    """Something of the subject is still on its way; the text says what."""


def take(event: WebhookEvent) -> str:
    """Take a compliance webhook: a request with a due date. Raises webhook_bodies.BodyRefused."""
    wish = webhook_bodies.compliance(event)
    request, is_new = PrivacyRequest.objects.get_or_create(
        event=event,
        defaults={
            "kind": event.topic,
            "shop_name": event.account.shop_name,
            "customer_id": wish.customer_id,
            "order_ids": list(wish.order_ids),
            "request_id": wish.request_id,
            "received_at": event.received_at,
            "due_at": event.received_at + TERM,
        },
    )
    if is_new:
        request_journal.write(request, event.account.shopify_shop_id)
        account_timeline.record(event.account, "privacy", f"{request.get_kind_display()}: received.")
        queue.kick("integrations.answer_privacy_requests")
    return f"Privacy request {request.pk}."


def work() -> int:
    """Answer the requests that are due, one after the other, and warn where a due date comes near."""
    done = 0
    rows = PrivacyRequest.objects.filter(_STILL).order_by("next_attempt_at")
    while claimed := claims.claim(rows, still=_STILL, limit=1, lease=LEASE):
        _answer(claimed[0])
        done += 1
    _warn()
    erasure.rewrite_by_night(timezone.now())
    return done


def reapply() -> int:
    """Remove once more what the ledger names, after a restore brought it back; return how many rows that were."""
    with erasure.thorough():
        removed = sum(sum(_redact(subject).values()) for subject in ledger.subjects())
    log.info("privacy.reapplied", extra={"rows": removed})
    return removed


def _answer(request: PrivacyRequest) -> None:
    try:
        if request.kind == Kind.DATA_REQUEST:
            _gather(request)
        else:
            _remove(request)
    except NotSettled as reason:
        _wait(request, str(reason))
    except Exception as error:  # noqa: BLE001 - one request that Hemi cannot handle must not hold up the others
        place = traceback.extract_tb(error.__traceback__)[-1]  # its message may quote a person's data
        said = f"{type(error).__name__} ({place.filename.rsplit('/', 1)[-1]}:{place.lineno})"
        log.error("privacy.failed", extra={**_ids(request), "error": said})
        next_at = timezone.now() + claims.backoff(request.attempts)
        _mine(request).update(lease_until=None, last_error=said, next_attempt_at=next_at)


def _gather(request: PrivacyRequest) -> None:
    held: dict[str, Any] = {"store": _account(request).domain, "customer_id": request.customer_id}
    for subject in _subjects(request):
        known = _known(subject)
        for holdings in _functions("PRIVACY_HOLDINGS"):
            for name, rows in holdings(subject, known).items():
                held.setdefault(name, []).extend(rows)
    held["gathered_at"] = timezone.now()
    answer = json.dumps(held, indent=1, ensure_ascii=False, default=str).encode()
    if not _mine(request).update(answer=answer, lease_until=None, last_error="", report="Gathered; see the download."):
        return
    alerts.raise_alert(
        "privacy",
        request.pk,
        f"A customer of {request.shop_name} asks what is stored",
        f"Hemi gathered what it holds. Open Privacy requests, download the file, give it to the store until "
        f"{request.due_at:%Y-%m-%d}, then mark the request as done.",
    )
    log.info("privacy.gathered", extra=_ids(request))


def _remove(request: PrivacyRequest) -> None:
    subjects, counts = _subjects(request), Counter[str]()
    _require_settled(subjects)
    with erasure.thorough():
        for subject in subjects:
            counts.update(_redact(subject))
        if request.event and request.event.redacted_at is None:
            redaction.strip(request.event)
    done = [f"{count} {name}" for name, count in counts.items() if count]
    report = "\n".join(filter(None, [_kept_report(request), f"Removed from: {', '.join(done)}." if done else ""]))
    _mine(request).update(report=report)
    request.report = report
    if not erasure.is_quiet(timezone.now()):
        raise NotSettled("The rows are empty; the database file itself is rewritten tonight, between 1 and 5 UTC.")
    _mine(request).update(lease_until=timezone.now() + LEASE)
    if not erasure.close_traces():
        raise NotSettled("The rows are empty; the database's journal was in use and is emptied within minutes.")
    _finish(request, report or "Hemi held nothing of it.")


def _redact(subject: Subject) -> dict[str, int]:
    known = _known(subject)
    with transaction.atomic():
        ledger.write(subject, known.order_ids)
    counts: dict[str, int] = {}
    for redact in _functions("PRIVACY_REDACTORS"):
        for name, count in redact(subject, known).items():
            counts[name] = counts.get(name, 0) + count
    return counts


def _require_settled(subjects: list[Subject]) -> None:
    tables = _functions("PRIVACY_SETTLEMENT")
    waiting = [line for subject in subjects for unsettled in tables for line in unsettled(subject)]
    if waiting:
        more = f"\n… and {len(waiting) - MOST_TOLD} more." if len(waiting) > MOST_TOLD else ""
        raise NotSettled("Waits for:\n" + "\n".join(waiting[:MOST_TOLD]) + more)


def _known(subject: Subject) -> Known:
    found = [know(subject) for know in _functions("PRIVACY_KNOWLEDGE")]
    words = frozenset(subject.contacts).union(*(one.words for one in found))
    return Known(frozenset(subject.order_ids).union(*(one.order_ids for one in found)), words)


def _subjects(request: PrivacyRequest) -> list[Subject]:
    """Return whom it is about, in each account of the store: it has two if it came back under another name."""
    account = _account(request)
    contacts: tuple[str, ...] = ()
    if request.event and request.event.redacted_at is None:
        contacts = webhook_bodies.compliance(request.event).contacts
    is_its = Q(pk=account.pk)
    if account.shopify_shop_id is not None:
        is_its |= Q(shopify_shop_id=account.shopify_shop_id)
    accounts = AccountShopify.objects.filter(is_its).order_by("pk")
    about = request.received_at, request.customer_id, tuple(request.order_ids), contacts
    return [Subject(found, *about) for found in accounts]


def _account(request: PrivacyRequest) -> AccountShopify:
    if request.event:
        return request.event.account
    return next(account for account in AccountShopify.objects.all() if request.shop_name in account.names)


def _functions(table: str) -> list[Callable[..., Any]]:
    return [import_string(name) for name in getattr(settings, table)]


def _wait(request: PrivacyRequest, reason: str) -> None:
    report = "\n".join(filter(None, [_kept_report(request), reason]))
    next_at = timezone.now() + LOOK_AGAIN
    _mine(request).update(report=report, lease_until=None, last_error="", next_attempt_at=next_at)
    log.info("privacy.waits", extra=_ids(request))


def _kept_report(request: PrivacyRequest) -> str:
    return "\n".join(line for line in request.report.splitlines() if line.startswith("Removed"))


def _finish(request: PrivacyRequest, report: str) -> None:
    with transaction.atomic():
        if not _mine(request).update(
            status=Status.DONE, done_at=timezone.now(), report=report, lease_until=None, last_error=""
        ):
            return
        alerts.clear_alert("privacy_due", request.pk)
        account_timeline.record(_account(request), "privacy", f"{request.get_kind_display()}: done.")
    log.info("privacy.done", extra=_ids(request))


def _warn() -> None:
    near = PrivacyRequest.objects.filter(status=Status.WAITING, due_at__lt=timezone.now() + WARN_BEFORE)
    for request in near.defer("answer"):
        if not StaffAlert.objects.filter(kind="privacy_due", key=str(request.pk), cleared_at=None).exists():
            alerts.raise_alert(
                "privacy_due",
                request.pk,
                f"A privacy request of {request.shop_name} is due on {request.due_at:%Y-%m-%d}",
                f"{request.get_kind_display()}.\n\n{request.report}\n\n"
                "Deliveries that wait hold it up: retry, settle, release or cancel them.",
            )


def _mine(request: PrivacyRequest) -> QuerySet[PrivacyRequest]:
    return PrivacyRequest.objects.filter(pk=request.pk, claim_token=request.claim_token)


def _ids(request: PrivacyRequest) -> dict[str, object]:
    return {
        "privacy_request": request.pk,
        "kind": request.kind,
        "account_name": request.shop_name,
    }
