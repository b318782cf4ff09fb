"""What suppliers answer to an order file: read Hemi's reply XML strictly, then move the supplier order upwards."""

import logging
import traceback
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from lxml import etree

from hemi.lib import claims, erasure, queue
from orders import settlement, timeline
from suppliers import redaction
from suppliers.models import Delivery, SupplierOrder, SupplierReply

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
SLICE_SECONDS = 20
BATCH = 20
LONGEST_WAIT_SECONDS = 600
_SCHEMA = Path(__file__).parent / "schemas" / "hemi-reply-1.0.xsd"
_NAMESPACE = "{urn:hemi:reply:1.0}"
_NEW = Q(status=SupplierReply.Status.NEW)
Status = SupplierOrder.Status


class Unreadable(ValueError):
    """The file is not a Hemi reply; the text says why."""


@dataclass(frozen=True)
class Reply:
    """What a reply file says."""

    reference: str
    status: str
    supplier_reference: str
    reason: str
    created_at: datetime


def parse(content: bytes) -> Reply:
    """Read a reply file; raises Unreadable."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"It is not well-formed XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("It contains a document type declaration, which a reply must not.")
    try:
        _schema().assertValid(root)
    except etree.DocumentInvalid as error:
        raise Unreadable(f"It is not a Hemi reply 1.0: {error}") from None
    return _read(root)


def apply_replies() -> int:
    """Apply the replies that wait, for a time slice; return how many were looked at."""
    done, until = 0, monotonic() + SLICE_SECONDS
    waiting = SupplierReply.objects.filter(_NEW).order_by("next_attempt_at", "pk")
    while batch := claims.claim(waiting, still=_NEW, limit=BATCH, lease=LEASE):
        for row in batch:
            _apply_one(row)
        done += len(batch)
        if monotonic() > until:
            queue.kick("suppliers.apply_replies")
            break
    return done


def _read(root: etree._Element) -> Reply:
    def text(name: str) -> str:
        return " ".join((root.findtext(_NAMESPACE + name) or "").split())

    try:
        created_at = datetime.fromisoformat(text("CreatedAt"))
    except ValueError as error:
        raise Unreadable(f"It has no valid time in CreatedAt: {error}") from None
    return Reply(text("Reference"), text("Status"), text("SupplierReference"), text("Reason"), created_at)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_SCHEMA))


def _apply_one(row: SupplierReply) -> None:
    try:
        with transaction.atomic():
            if _mine(row).update(lease_until=timezone.now() + LEASE):
                _apply(row)
    except Exception as error:  # noqa: BLE001 - one reply that Hemi cannot handle must not hold up the others
        place = traceback.extract_tb(error.__traceback__)[-1]  # its message may quote what the supplier wrote
        said = f"{type(error).__name__} ({place.filename.rsplit('/', 1)[-1]}:{place.lineno})"
        log.error("reply.broken", extra={**_ids(row), "error": said})
        _wait(row, f"Hemi failed on it ({type(error).__name__}) and will try again.")


def _apply(row: SupplierReply) -> None:
    try:
        reply = parse(bytes(row.content))
    except Unreadable as error:
        _close(row, SupplierReply.Status.UNREADABLE, str(error))
        return
    row.kind, row.reference = reply.status, reply.reference
    part = _match(row, reply)
    if part is None:
        return
    row.supplier_order, part.order = part, settlement.locked(part.order_id)
    if part.order.redacted_at:  # the supplier writes of a customer whose data was removed
        reply = replace(reply, reason=redaction.REMOVED if reply.reason else "")
    if part.status not in SupplierOrder.RANK:
        _leave(row, part, reply)
    else:
        _move(row, part, reply)


def _match(row: SupplierReply, reply: Reply) -> SupplierOrder | None:
    parts = SupplierOrder.objects.select_related("order", "supplier", "delivery")
    part = parts.filter(reference=reply.reference).first()
    if part is None:
        _close(row, SupplierReply.Status.UNMATCHED, f"No order has the reference {reply.reference}.")
        return None
    delivery = _delivery(part)
    if row.endpoint_id not in (part.supplier.endpoint_id, delivery and delivery.endpoint_id):
        note = f"{reply.reference} belongs to {part.supplier}, and this file came from another endpoint."
        _close(row, SupplierReply.Status.UNMATCHED, note)
        return None
    return part


def _leave(row: SupplierReply, part: SupplierOrder, reply: Reply) -> None:
    """Deal with a reply about a part that is not recorded as sent."""
    delivery = _delivery(part)
    if part.status == Status.CANCELLED:
        note = f"{part.supplier} says {reply.status} of a cancelled order. Tell the supplier that it is cancelled."
        SupplierOrder.objects.filter(pk=part.pk).update(attention=note[:500])
        timeline.record(part.order, "reply_too_late", note, reference=part.reference)
        _close(row, SupplierReply.Status.APPLIED, note)
    elif delivery and delivery.first_claimed_at:
        _wait(row, "The order is not recorded as sent yet; the reply waits for that.")
    else:
        _close(row, SupplierReply.Status.UNMATCHED, f"The file of {part.reference} was never sent.")


def _move(row: SupplierReply, part: SupplierOrder, reply: Reply) -> None:
    rank = SupplierOrder.RANK[Status(reply.status)]
    lower = [status for status, height in SupplierOrder.RANK.items() if height < rank]
    changes = {"status": reply.status, "replied_at": timezone.now(), "reply_reason": reply.reason}
    if reply.supplier_reference:
        changes["supplier_reference"] = reply.supplier_reference
    said = f"{part.supplier} {'has taken' if reply.status == Status.TAKEN else reply.status} it"
    said += f": {reply.reason}" if reply.reason else "."
    if reply.status == Status.REJECTED:
        changes["attention"] = f"{said} Settle it with the supplier, or cancel and send the lines elsewhere."[:500]
    if SupplierOrder.objects.filter(pk=part.pk, status__in=lower).update(**changes):
        timeline.record(part.order, f"reply_{reply.status}", said, reference=part.reference)
        _close(row, SupplierReply.Status.APPLIED, "")
    else:
        _keep_status(row, part, reply)


def _keep_status(row: SupplierReply, part: SupplierOrder, reply: Reply) -> None:
    part.refresh_from_db(fields=["status"])
    note = f"Nothing changed: it was {part.get_status_display().lower()} already."
    if {part.status, reply.status} == {Status.ACCEPTED, Status.REJECTED}:
        note = f"{part.supplier} says {reply.status} after {part.status}. Ask the supplier which holds."
        SupplierOrder.objects.filter(pk=part.pk).update(attention=note[:500])
        timeline.record(part.order, "reply_contradicts", note, reference=part.reference)
    _close(row, SupplierReply.Status.APPLIED, note)


def _close(row: SupplierReply, status: str, note: str) -> None:
    now = timezone.now()
    values: dict[str, Any] = {"status": status, "note": note[:500], "kind": row.kind, "reference": row.reference}
    values |= {"supplier_order": row.supplier_order, "claim_token": "", "lease_until": None}
    values["applied_at"] = now if status == SupplierReply.Status.APPLIED else None
    if redaction.is_about_a_removed_customer(row):
        values |= {"content": b"", "redacted_at": now}
        values["note"] = redaction.NOTE if status == SupplierReply.Status.UNREADABLE else values["note"]
    with erasure.thorough():
        _mine(row).update(**values)
    log.info("reply.read", extra={**_ids(row), "status": status})


def _wait(row: SupplierReply, note: str) -> None:
    wait = claims.backoff(row.attempts, base=2, cap=LONGEST_WAIT_SECONDS)
    _mine(row).update(note=note[:500], next_attempt_at=timezone.now() + wait, claim_token="", lease_until=None)
    log.info("reply.waits", extra=_ids(row))


def _mine(row: SupplierReply) -> QuerySet[SupplierReply]:
    return SupplierReply.objects.filter(pk=row.pk, claim_token=row.claim_token)


def _delivery(part: SupplierOrder) -> Delivery | None:
    return getattr(part, "delivery", None)


def _ids(row: SupplierReply) -> dict[str, object]:
    return {"reply_id": row.pk, "endpoint_id": row.endpoint_id, "reference": row.reference}
