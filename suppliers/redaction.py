"""Remove a customer's data from documents, replies and what was said about them. What was sent keeps its SHA-256."""

import html
import re
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from integrations.subjects import Known, Subject, scrub
from orders import redaction, settlement
from suppliers import parts
from suppliers.models import (
    Delivery,
    DeliveryAttempt,
    DeliveryContent,
    DeliveryDocument,
    Endpoint,
    ReplyStatement,
    SupplierOrder,
    SupplierReply,
)

REMOVED = redaction.REMOVED
NOTE = "It is about an order whose customer's data was removed; it could not be read, and its content was removed."
_WHY = "Its customer's data was removed."
_REFERENCE = re.compile(r"HM\d+-[\w-]+")
_PARTS = SupplierOrder.Status
_SAID = ("reference", "supplier_reference", "despatch", "carrier", "note")
_NEW = SupplierReply.Status.NEW
SILENCED = ("reason", "lines")


def unsettled(subject: Subject) -> list[str]:
    """Say which of the subject's files are not with their suppliers yet, and why."""
    rows = SupplierOrder.objects.filter(order__in=redaction.orders_of(subject), order__redacted_at=None)
    open_parts = rows.filter(status__in=SupplierOrder.UNSENT).select_related("supplier", "order__account", "delivery")
    files = [f"{part.reference} for {part.supplier}: {_why(part)}" for part in open_parts]
    return files + [f"the reply {reply}: it was not read yet." for reply in _unread_replies(rows)]


def redact(subject: Subject, known: Known) -> dict[str, int]:
    """Empty the documents and replies of the subject's orders, each order under its lock."""
    counts = {"documents": 0, "replies": _loose_replies(known)}
    for pk in redaction.orders_of(subject).filter(redacted_at=None).values_list("pk", flat=True):
        with transaction.atomic():
            order = settlement.locked(pk)
            words = redaction.words_for(order, subject, known)
            for part in order.supplier_orders.select_related("supplier", "order"):
                if part.status in SupplierOrder.UNSENT:
                    parts.cancel(part, _WHY)
                _empty_part(part, words)
                counts["documents"] += _empty_document(part, words)
                _empty_statements(part.statements.all(), words)
                counts["replies"] += _empty_replies(_replies_about(part), words)
    return counts


def redact_late(subject: Subject, known: Known) -> dict[str, int]:
    """Empty what suppliers said while the subject's orders were being emptied."""
    orders = redaction.orders_of(subject)
    late = ReplyStatement.objects.filter(supplier_order__order__in=orders, reply__redacted_at=None)
    count = 0
    for pk in late.order_by().values_list("supplier_order", flat=True).distinct():
        with transaction.atomic():
            part = SupplierOrder.objects.select_related("order").get(pk=pk)
            if settlement.locked(part.order_id).redacted_at:
                _empty_part(part, known.words)
                count += _empty_replies(_replies_about(part), known.words)
    return {"replies": count}


def is_about_a_removed_customer(reply: SupplierReply) -> bool:
    """Tell whether a reply speaks of a redacted order, or, where it fits none, names one by its reference."""
    told = ReplyStatement.objects.filter(reply=reply.pk, supplier_order__isnull=False)
    if told.exists():
        return told.exclude(supplier_order__order__redacted_at=None).exists()
    parts_named = SupplierOrder.objects.filter(reference__in=_references(reply)[:100])
    return parts_named.exclude(order__redacted_at=None).exists()


def silence(statement: ReplyStatement) -> None:
    """Take out of a statement what the supplier wrote in words of its own; it is not saved."""
    statement.reason = REMOVED if statement.reason else ""
    statement.lines = [{**line, "reason": REMOVED if line.get("reason") else ""} for line in statement.lines]


def holdings(subject: Subject, known: Known) -> dict[str, Any]:
    """Return the documents that were made for the subject, and what suppliers said to them."""
    orders = redaction.orders_of(subject)
    files = Delivery.objects.filter(supplier_order__order__in=orders, redacted_at=None)
    parts_of_them = SupplierOrder.objects.filter(order__in=orders).select_related("supplier")
    about = {pk for part in parts_of_them for pk in _replies_about(part).values_list("pk", flat=True)}
    replies = SupplierReply.objects.filter(pk__in=about, redacted_at=None)
    return {
        "documents": [_shown_document(file) for file in files.select_related("supplier_order__supplier")],
        "replies": [
            {"file": reply.file_name, "received_at": reply.received_at, "content": _text(reply.content)}
            for reply in replies
        ],
    }


def _why(part: SupplierOrder) -> str:
    delivery = getattr(part, "delivery", None)
    if part.held_at or part.order.held_at or (delivery and delivery.is_held):
        return "on hold. Release or cancel it."
    if part.supplier.paused_at or part.order.account.paused_at:
        return "paused. Resume it, or cancel the order."
    if part.status == _PARTS.BLOCKED:
        return "its document cannot be made. Mend it, or cancel it."
    if delivery and delivery.status != Delivery.Status.DUE:
        return f"{delivery.get_status_display().lower()}. Retry, settle or cancel it."
    return "waiting to be sent."


def _empty_part(part: SupplierOrder, words: frozenset[str]) -> None:
    part.refresh_from_db()
    written = ("hold_reason", "cancel_reason", "reply_reason")  # by people, who may spell a name in any way
    words = words | {getattr(part, name) for name in written}
    for name in written:
        setattr(part, name, REMOVED if getattr(part, name) else "")
    for name in ("attention", "supplier_reference", "last_error"):
        setattr(part, name, scrub(getattr(part, name), words))
    part.findings = [{**finding, "text": scrub(finding["text"], words)} for finding in part.findings]
    names = ["hold_reason", "cancel_reason", "attention", "reply_reason", "supplier_reference", "last_error"]
    part.save(update_fields=[*names, "findings"])
    part.lines.exclude(reply_reason="").update(reply_reason=REMOVED)
    # Before and after are names and addresses: what changed is kept only as what kind of thing it was.
    for amendment in part.amendments.all():
        amendment.changes, amendment.reason = [], REMOVED if amendment.reason else ""
        amendment.save(update_fields=["changes", "reason"])


def _empty_document(part: SupplierOrder, words: frozenset[str]) -> int:
    delivery = Delivery.objects.filter(supplier_order=part, redacted_at=None).first()
    if delivery is None:
        return 0
    for attempt in delivery.attempt_rows.all():
        message = scrub(attempt.message, words)
        DeliveryAttempt.objects.filter(pk=attempt.pk).exclude(message=message).update(message=message)
    DeliveryContent.objects.filter(delivery=delivery).delete()
    DeliveryDocument.objects.filter(delivery=delivery).update(content=b"")
    return Delivery.objects.filter(pk=delivery.pk).update(
        redacted_at=timezone.now(),
        remarks=scrub(delivery.remarks, words),
        last_error=scrub(delivery.last_error, words),
    )


def _empty_replies(rows: QuerySet[SupplierReply], words: frozenset[str]) -> int:
    count = 0
    for reply in rows.filter(redacted_at=None):
        _empty_statements(reply.statements.all(), words)
        note, error = (scrub(text, words) for text in (reply.note, reply.last_error))
        count += SupplierReply.objects.filter(pk=reply.pk).update(
            content=b"", redacted_at=timezone.now(), note=note, last_error=error
        )
    return count


def _replies_about(part: SupplierOrder) -> QuerySet[SupplierReply]:
    return SupplierReply.objects.filter(pk__in={*part.statements.values_list("reply", flat=True), *_naming(part)})


def _naming(part: SupplierOrder) -> list[int]:
    """Find the files of many orders that repeat what was said of the part: of those no statement is kept."""
    delivery = Delivery.objects.filter(supplier_order=part).values_list("endpoint", flat=True).first()
    known = Endpoint.objects.filter(pk__in=[pk for pk in (part.supplier.endpoint_id, delivery) if pk])
    rows = SupplierReply.objects.filter(
        endpoint__in={pk for endpoint in known for pk in endpoint.account()},
        source=SupplierReply.Source.FILE,
        received_at__gte=part.created_at,
        redacted_at=None,
    )
    names = [part.reference.encode(code) for code in ("ascii", "utf-16-le", "utf-16-be")]
    found = rows.values_list("pk", "content").iterator(chunk_size=20)
    return [pk for pk, content in found if any(name in bytes(content) for name in names)]


def _empty_statements(rows: QuerySet[ReplyStatement], words: frozenset[str]) -> None:
    """Take the person out of what a reply says; which order, how many pieces and what state stay."""
    for row in rows:
        for name in _SAID:
            setattr(row, name, scrub(getattr(row, name), words))
        row.numbers, row.urls = [], []
        silence(row)
        row.save(update_fields=[*_SAID, *SILENCED, "numbers", "urls"])


def _loose_replies(known: Known) -> int:
    """Empty the replies that belong to no order and name the person all the same. What is new is still to be read."""
    told = ReplyStatement.objects.filter(reply=OuterRef("pk"), supplier_order__isnull=False)
    rows = SupplierReply.objects.filter(~Exists(told), redacted_at=None).exclude(status=_NEW)
    found = [reply.pk for reply in rows.iterator() if _names(reply, known)]
    return _empty_replies(SupplierReply.objects.filter(pk__in=found), known.words)


def _unread_replies(wanted: QuerySet[SupplierOrder]) -> list[SupplierReply]:
    new = SupplierReply.objects.filter(status=_NEW)
    return [reply for reply in new if wanted.filter(reference__in=_references(reply)[:100]).exists()]


def _references(reply: SupplierReply) -> list[str]:
    return sorted(set(_REFERENCE.findall(f"{reply.file_name} {_text(reply.content)}")))


def _names(reply: SupplierReply, known: Known) -> bool:
    # It may be in any encoding, and XML writes a letter in several ways.
    content = bytes(reply.content)
    texts = {html.unescape(content.decode(encoding, "replace")) for encoding in ("utf-8", "cp1252", "utf-16")}
    return any(scrub(text, known.telling) != text for text in texts)


def _shown_document(delivery: Delivery) -> dict[str, Any]:
    content = delivery.document.decode(delivery.supplier_order.supplier.encoding, "replace")
    return {
        "file": delivery.final_name,
        "supplier": delivery.supplier_order.supplier.name,
        "sent_at": delivery.sent_at,
        "content": content,
    }


def _text(content: bytes | memoryview) -> str:
    return bytes(content).decode("utf-8", "replace")
