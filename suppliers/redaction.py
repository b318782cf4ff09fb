"""Remove a customer's data from documents, replies and what was said about them. What was sent keeps its SHA-256."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from integrations.subjects import Known, Subject, scrub
from orders import redaction, settlement
from suppliers import parts
from suppliers.models import Delivery, DeliveryAttempt, DeliveryContent, ReplyStatement, SupplierOrder, SupplierReply

_WHY = "Its customer's data was removed."
_PARTS = SupplierOrder.Status
_SAID = ("reference", "supplier_reference", "despatch", "carrier", "reason", "note")


def unsettled(subject: Subject) -> list[str]:
    """Say which of the subject's files are not with their suppliers yet, and why."""
    rows = SupplierOrder.objects.filter(order__in=redaction.orders_of(subject), order__redacted_at=None)
    open_parts = rows.filter(status__in=SupplierOrder.UNSENT).select_related("supplier", "order__account", "delivery")
    return [f"{part.reference} for {part.supplier}: {_why(part)}" for part in open_parts]


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
    for name in ("hold_reason", "cancel_reason"):
        setattr(part, name, redaction.REMOVED if getattr(part, name) else "")
    for name in ("attention", "reply_reason", "supplier_reference", "last_error"):
        setattr(part, name, scrub(getattr(part, name), words))
    part.findings = [{**finding, "text": scrub(finding["text"], words)} for finding in part.findings]
    names = ["hold_reason", "cancel_reason", "attention", "reply_reason", "supplier_reference", "last_error"]
    part.save(update_fields=[*names, "findings"])
    for line in part.lines.exclude(reply_reason=""):
        line.reply_reason = scrub(line.reply_reason, words)
        line.save(update_fields=["reply_reason"])
    # Before and after are names and addresses: what changed is kept only as what kind of thing it was.
    for amendment in part.amendments.all():
        amendment.changes, amendment.reason = [], scrub(amendment.reason, words)
        amendment.save(update_fields=["changes", "reason"])


def _empty_document(part: SupplierOrder, words: frozenset[str]) -> int:
    delivery = Delivery.objects.filter(supplier_order=part, redacted_at=None).first()
    if delivery is None:
        return 0
    for attempt in delivery.attempt_rows.all():
        message = scrub(attempt.message, words)
        DeliveryAttempt.objects.filter(pk=attempt.pk).exclude(message=message).update(message=message)
    DeliveryContent.objects.filter(delivery=delivery).delete()
    return Delivery.objects.filter(pk=delivery.pk).update(
        document=b"",
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
    rows = SupplierReply.objects.filter(
        endpoint__in={part.supplier.endpoint_id, delivery} - {None},
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
        row.lines = [{**line, "reason": scrub(line.get("reason", ""), words)} for line in row.lines]
        row.numbers, row.urls = [], []
        row.save(update_fields=[*_SAID, "lines", "numbers", "urls"])


def _loose_replies(known: Known) -> int:
    """Empty the replies that belong to no order and name the person all the same."""
    told = ReplyStatement.objects.filter(reply=OuterRef("pk"), supplier_order__isnull=False)
    rows = SupplierReply.objects.filter(~Exists(told), redacted_at=None)
    found = [reply.pk for reply in rows if (text := _text(reply.content)) and scrub(text, known.telling) != text]
    return _empty_replies(SupplierReply.objects.filter(pk__in=found), known.words)


def _shown_document(delivery: Delivery) -> dict[str, Any]:
    content = bytes(delivery.document).decode(delivery.supplier_order.supplier.encoding, "replace")
    return {
        "file": delivery.final_name,
        "supplier": delivery.supplier_order.supplier.name,
        "sent_at": delivery.sent_at,
        "content": content,
    }


def _text(content: bytes | memoryview) -> str:
    return bytes(content).decode("utf-8", "replace")
