"""What a supplier says again: snapshots come every few minutes, and a person hears of each thing once."""

from django.db.models import Q, QuerySet

from suppliers.models import ReplyStatement

State = ReplyStatement.Status
_DEALT_WITH = (State.UNMATCHED, State.SETTLED, State.APPLIED)
_LOOKED_THROUGH = 50  # earlier statements of one reference


def was_told(row: ReplyStatement, note: str) -> bool:
    """Tell whether an earlier statement was told with these words."""
    same = {"supplier_order": row.supplier_order, "kind": row.kind, "despatch": row.despatch}
    return _earlier(row).filter(**same, note=note[:500]).exists()


def is_listed(row: ReplyStatement) -> bool:
    """Tell whether an earlier file of the endpoint said the same and is on the list, or was dealt with by a person."""
    same = {"reply__endpoint": row.reply.endpoint_id, "reference": row.reference, "kind": row.kind}
    rows = _earlier(row).filter(**same, rest=row.rest, despatch=row.despatch, status__in=_DEALT_WITH)
    return row.lines in list(rows.order_by("-pk").values_list("lines", flat=True)[:_LOOKED_THROUGH])


def is_known_fault(row: ReplyStatement) -> bool:
    """Tell whether a file of this name had the same row that cannot be read, and it is on the list or was settled."""
    same = {"reply__endpoint": row.reply.endpoint_id, "reply__file_name": row.reply.file_name}
    rows = _earlier(row).filter(**same, reference=row.reference, kind="")
    is_told = Q(status=State.UNREADABLE, note=row.note) | Q(status=State.SETTLED, note__endswith=row.note)
    return rows.filter(is_told).exists()


def _earlier(row: ReplyStatement) -> QuerySet[ReplyStatement]:
    return ReplyStatement.objects.exclude(reply=row.reply_id)
