"""What a person may ask of a reply: read it again, match what it says to an order, settle it with a reason."""

import logging
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hemi.lib import queue
from orders import timeline
from orders.services import Refused
from suppliers import replies, statements
from suppliers.models import ReplyStatement, SupplierOrder, SupplierReply
from suppliers.services import ground

log = logging.getLogger("suppliers")

State = ReplyStatement.Status
_NAMED = 5  # of several parts that may be meant


def why_not_again(reply: SupplierReply) -> str:
    """Say why a reply cannot be read again; "" if it can."""
    if reply.status == SupplierReply.Status.NEW:
        return "This reply waits for its turn; Hemi reads it by itself."
    if reply.status not in SupplierReply.OPEN:
        return "This reply was read and applied."
    is_unread = reply.sha256.startswith("size-")
    return "The file was never fetched: there is nothing to read again. Settle it." if is_unread else ""


def read_again(*, reply: SupplierReply, by: Any) -> SupplierReply:
    """Read the stored bytes of a reply again that could not be read or matched. Raises Refused."""
    if reason := why_not_again(SupplierReply.objects.defer("content").get(pk=reply.pk)):
        raise Refused(reason)
    rows = SupplierReply.objects.filter(pk=reply.pk, status__in=SupplierReply.OPEN, redacted_at=None)
    if not rows.update(status=SupplierReply.Status.NEW, attempts=0, next_attempt_at=timezone.now(), note=""):
        raise Refused("This reply was read and applied.")
    queue.kick("suppliers.apply_replies")
    return SupplierReply.objects.get(pk=reply.pk)


def match(*, statement: ReplyStatement, name: str, by: Any) -> ReplyStatement:
    """Apply what a reply says to the part of the order that a person names. Raises Refused."""
    part = _part(statement, name)
    with transaction.atomic():
        part = statements.locked(part)
        fresh = _open(statement)
        if not fresh.kind:
            raise Refused("This row cannot be read, so there is nothing to apply. Settle it.")
        timeline.record(part.order, "reply_matched", _matched(fresh), part.reference, by)
        statements.apply_to(fresh, part, by=by)
        if fresh.status == State.UNMATCHED:
            raise Refused(fresh.note)
        if fresh.status == State.WAITING:
            now = timezone.now()
            SupplierReply.objects.filter(pk=fresh.reply_id).update(status=replies.Status.NEW, next_attempt_at=now)
        else:
            replies.settle(fresh.reply)
        return fresh


def match_reply(*, reply: SupplierReply, name: str, by: Any) -> SupplierReply:
    """Match a reply that speaks of one order. Raises Refused."""
    rows = list(reply.statements.filter(status=State.UNMATCHED)[:2])
    if len(rows) != 1:
        raise Refused("It speaks of no order, or of several: open the statement that you mean, below.")
    return match(statement=rows[0], name=name, by=by).reply


def settle(*, statement: ReplyStatement, reason: str, by: Any) -> ReplyStatement:
    """Take a statement off the list by a person's word; nothing is applied. Raises Refused."""
    with transaction.atomic():
        fresh = _open(statement)
        _settle(fresh, ground.reason(reason), by)
        replies.settle(fresh.reply)
        return fresh


def settle_reply(*, reply: SupplierReply, reason: str, by: Any) -> SupplierReply:
    """Take all of a reply that is open off the list. Raises Refused."""
    with transaction.atomic():
        fresh = SupplierReply.objects.select_for_update().get(pk=reply.pk)
        if fresh.status not in SupplierReply.OPEN:
            raise Refused("Nothing in this reply waits for a person.")
        for row in fresh.statements.filter(status__in=ReplyStatement.OPEN):
            _settle(row, ground.reason(reason), by)
        if fresh.statements.exists():
            replies.settle(fresh)
        else:
            fresh.status, fresh.note = replies.Status.SETTLED, _settled(ground.reason(reason), fresh.note, by)[:500]
            fresh.save(update_fields=["status", "note"])
        log.info("reply.settled", extra={"reply_id": fresh.pk, "by": getattr(by, "pk", None)})
        return fresh


def _settle(row: ReplyStatement, reason: str, by: Any) -> None:
    statements.close(row, State.SETTLED, _settled(reason, row.note, by))


def _settled(reason: str, note: str, by: Any) -> str:
    said = f"Settled: {reason}{f' ({by})' if by else ''}"
    return f"{said}{statements.IT_WAS}{note}" if note else said


def _open(statement: ReplyStatement) -> ReplyStatement:
    rows = ReplyStatement.objects.select_for_update(of=("self",)).select_related("reply")
    fresh = rows.get(pk=statement.pk)
    if fresh.status not in ReplyStatement.OPEN:
        raise Refused("This statement was applied or settled already.")
    if fresh.reply.redacted_at:
        raise Refused("The customer's data was removed from this reply; it can only be left as it is.")
    return fresh


def _part(statement: ReplyStatement, name: str) -> SupplierOrder:
    """Find the one part that is meant among those that this endpoint may speak of."""
    wanted = name.strip()
    numbers = [wanted, f"#{wanted.lstrip('#')}", wanted.lstrip("#")]
    named = SupplierOrder.objects.filter(Q(reference=wanted.upper()) | Q(order__number__in=numbers))
    counting = named.exclude(status__in=[SupplierOrder.Status.CANCELLED, SupplierOrder.Status.REPLACED])
    rows = counting.select_related("supplier", "delivery").order_by("pk")
    found = [part for part in rows[:100] if statements.may_speak(statement.reply, part)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused(f"No order “{wanted}” has a part whose supplier replies at this endpoint.")
    references = ", ".join(part.reference for part in found[:_NAMED])
    raise Refused(f"“{wanted}” has several parts: {references}. Give the reference of one.")


def _matched(row: ReplyStatement) -> str:
    return f"A reply that names {row.reference or 'no order'} was matched by hand ({row.reply.file_name})."
