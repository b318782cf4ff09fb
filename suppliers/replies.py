"""The replies runner: read what suppliers sent back, keep what it says as statements, and have each applied."""

import logging
import traceback
from collections import Counter
from datetime import timedelta
from itertools import count
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from hemi.lib import claims, erasure, queue
from suppliers import redaction, repeats, statements, traces
from suppliers.models import Endpoint, ReplyColumns, ReplyStatement, SupplierReply
from suppliers.reply_formats import csv_rows, reading
from suppliers.reply_formats.csv_rows import Columns
from suppliers.reply_formats.statements import Statement, Unreadable

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
SLICE_SECONDS = 20
BATCH = 20
STATEMENTS = 200  # looked through together; the lease is renewed after them
LONGEST_WAIT_SECONDS = 600
SEVERAL = 2  # statements: the file is no answer to one order
_NEW = Q(status=SupplierReply.Status.NEW)
Status, State = SupplierReply.Status, ReplyStatement.Status
# What a person settled or matched stays when the file is read again.
_BY_HAND = Q(status=State.SETTLED) | Q(supplier_order__isnull=False) & ~Q(supplier_order__reference=F("reference"))


def apply_replies() -> int:
    """Apply the replies that wait, for a time slice; return how many were looked at."""
    done, until = 0, monotonic() + SLICE_SECONDS
    waiting = SupplierReply.objects.filter(_NEW).select_related("endpoint").order_by("next_attempt_at", "pk")
    while batch := claims.claim(waiting, still=_NEW, limit=BATCH, lease=LEASE):
        for row in batch:
            _apply_one(row)
        done += len(batch)
        if monotonic() > until:
            queue.kick("suppliers.apply_replies")
            break
    return done


def read(content: bytes, endpoint: Endpoint) -> tuple[str, list[Statement]]:
    """Read a file as its endpoint's settings say: the format's name and the statements. Raises Unreadable."""
    columns = ReplyColumns.objects.filter(endpoint=endpoint).first()
    return reading.read(content, _columns(columns) if columns else None)


def settle(reply: SupplierReply) -> int:
    """Work out a reply's state from its statements, and say in short what it says; return how many they are."""
    rows = list(reply.statements.select_related("supplier_order"))
    status = _outcome({row.status for row in rows})
    applied_at = timezone.now() if status in (Status.APPLIED, Status.PARTLY) else reply.applied_at
    values = {"status": status, "note": _note(rows)[:500], "applied_at": applied_at, **_summary(rows)}
    _record(SupplierReply.objects.filter(pk=reply.pk), values, is_emptied=redaction.is_about_a_removed_customer(reply))
    log.info("reply.read", extra={**_ids(reply), "status": status})
    return len(rows)


def _record(rows: QuerySet[SupplierReply], values: dict[str, Any], *, is_emptied: bool) -> None:
    """Write what became of a reply; only what is emptied has traces that must be overwritten."""
    if not is_emptied:
        rows.update(**values)
        return
    with erasure.thorough():
        rows.update(**values, content=b"", redacted_at=timezone.now())


def _apply_one(row: SupplierReply) -> None:
    try:
        if _renew(row):
            _apply(row)
    except Exception as error:  # noqa: BLE001 - one reply that Hemi cannot handle must not hold up the others
        place = traceback.extract_tb(error.__traceback__)[-1]  # its message may quote what the supplier wrote
        said = f"{type(error).__name__} ({place.filename.rsplit('/', 1)[-1]}:{place.lineno})"
        log.error("reply.broken", extra={**_ids(row), "error": said})
        _wait(row, f"Hemi failed on it ({type(error).__name__}) and will try again.")


def _apply(row: SupplierReply) -> None:
    try:
        _state(row)
    except Unreadable as error:
        values = {"status": Status.UNREADABLE, "note": str(error)[:500], "claim_token": "", "lease_until": None}
        is_emptied = redaction.is_about_a_removed_customer(row)
        _record(_mine(row), values | ({"note": redaction.NOTE} if is_emptied else {}), is_emptied=is_emptied)
        log.info("reply.unreadable", extra=_ids(row))
        return
    last = 0
    while waiting := list(_waiting(row).filter(position__gt=last)[:STATEMENTS]):
        last = waiting[-1].position
        for statement in statements.pass_over(waiting) if len(waiting) > 1 else waiting:
            statements.apply(statement)
        if len(waiting) < STATEMENTS:
            break
        if not _renew(row):
            return
    _conclude(row)


def _state(row: SupplierReply) -> None:
    """Make the statements of a file that has none waiting. Raises Unreadable."""
    if _waiting(row).exists():
        return
    known_format, said = row.format, _said(row)
    with transaction.atomic():
        if not _renew(row):
            return
        kept = _kept(row)
        told = {(one.reference, one.kind, one.despatch) for one in kept if one.kind}
        faults = {(one.reference, one.note.rpartition(statements.IT_WAS)[2]) for one in kept if not one.kind}
        taken = {one.position for one in kept}
        left = [one for one in said if (one.reference, one.kind, one.despatch) not in told]
        left = [one for one in left if not one.fault or (one.reference, one.fault[:500]) not in faults]
        free = (number for number in count(1) if number not in taken)
        rows = [statements.row(row, next(free), one) for one in left]
        for fault in (one for one in rows if one.status == State.UNREADABLE):
            fault.status = State.UNCHANGED if repeats.is_known_fault(fault) else State.UNREADABLE
        ReplyStatement.objects.bulk_create(rows, batch_size=500)
        if row.format != known_format:
            SupplierReply.objects.filter(pk=row.pk).update(format=row.format)


def _kept(row: SupplierReply) -> list[ReplyStatement]:
    """Remove the statements of an earlier reading that no person dealt with, and return the others."""
    if not row.statements.exists():
        return []
    row.statements.exclude(_BY_HAND).delete()
    return list(row.statements.all())


def _said(row: SupplierReply) -> list[Statement]:
    if row.source != SupplierReply.Source.FILE:
        return [traces.statement(row)]
    row.format, said = read(bytes(row.content), row.endpoint)
    return said


def _columns(row: ReplyColumns) -> Columns:
    places = {name: getattr(row, name) for name in csv_rows.FIELDS}
    try:
        words = csv_rows.words(row.words)
    except ValueError as error:
        raise Unreadable(f"The endpoint's words for the states cannot be used: {error}") from None
    return Columns(places, row.delimiter, row.encoding, row.has_header, words)


def _conclude(row: SupplierReply) -> None:
    if waits := _waiting(row).first():
        _wait(row, waits.note)
        return
    if _mine(row).update(claim_token="", lease_until=None) and settle(row) >= SEVERAL:
        _keep_news(row)


def _keep_news(row: SupplierReply) -> None:
    """Drop what a file of many orders merely repeats; snapshots come every few minutes and would fill the disk."""
    row.statements.filter(status=State.UNCHANGED).delete()
    if not row.statements.exists():
        SupplierReply.objects.filter(pk=row.pk).update(content=b"")


def _outcome(states: set[str]) -> str:
    if states == {State.SETTLED}:
        return Status.SETTLED
    if not states & set(ReplyStatement.OPEN):
        return Status.APPLIED
    if states - set(ReplyStatement.OPEN):
        return Status.PARTLY
    return Status.UNMATCHED if State.UNMATCHED in states else Status.UNREADABLE


def _note(rows: list[ReplyStatement]) -> str:
    if not rows:
        return "It says nothing about any order."
    if len(rows) == 1:
        return rows[0].note
    counts = Counter(State(row.status).label.lower() for row in rows)
    return f"{len(rows)} statements: " + ", ".join(f"{number} {label}" for label, number in counts.items()) + "."


def _summary(rows: list[ReplyStatement]) -> dict[str, Any]:
    if len(rows) != 1:
        return {"kind": "", "reference": "", "supplier_order": None}
    only = rows[0]
    return {"kind": only.kind, "reference": only.reference[:60], "supplier_order": only.supplier_order}


def _wait(row: SupplierReply, note: str) -> None:
    wait = claims.backoff(row.attempts, base=2, cap=LONGEST_WAIT_SECONDS)
    _mine(row).update(note=note[:500], next_attempt_at=timezone.now() + wait, claim_token="", lease_until=None)
    log.info("reply.waits", extra=_ids(row))


def _renew(row: SupplierReply) -> bool:
    return bool(_mine(row).update(lease_until=timezone.now() + LEASE))


def _waiting(row: SupplierReply) -> QuerySet[ReplyStatement]:
    return row.statements.filter(status=State.WAITING).select_related("reply__endpoint").defer("reply__content")


def _mine(row: SupplierReply) -> QuerySet[SupplierReply]:
    return SupplierReply.objects.filter(pk=row.pk, claim_token=row.claim_token)


def _ids(row: SupplierReply) -> dict[str, object]:
    return {"reply_id": row.pk, "endpoint_id": row.endpoint_id}
