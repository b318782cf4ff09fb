"""What is written down of claimed deliveries before and after each step, many of them in one go.

Every write names the claim's token: a run that lost its claim changes nothing. Call inside suppliers/turns.py.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone

from orders import settlement, timeline
from orders.timeline import Happening
from suppliers import due, naming, overdue, revisions
from suppliers.attempts import FREE, Attempt
from suppliers.models import Delivery, DeliveryAttempt, Endpoint, SupplierOrder

log = logging.getLogger(__name__)

Status, Step = Delivery.Status, Delivery.Step
_UNSTOPPED = Q(status=Status.DUE, is_held=False)


def begin_uploads(attempts: Sequence[Attempt], endpoint: Endpoint) -> list[Attempt]:
    """Record `uploading`, with names of this claim's own; return those that nothing came before. Of one claim, all."""
    return _begin(attempts, endpoint, _allowed(attempts)) if attempts else []


def begin_claimed(attempts: Sequence[Attempt], endpoint: Endpoint) -> list[Attempt]:
    """The same of what was claimed in the same transaction, and so was asked already whether it may go."""
    return _begin(attempts, endpoint, _mine(attempts).filter(_UNSTOPPED)) if attempts else []


def begin_renames(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Record `renaming`, the point of no return; return those that no hold and no other run came before."""
    if not attempts:
        return []
    now = timezone.now()
    changes = {"step": Step.RENAMING, "renaming_at": now, "lease_until": now + attempts[0].lease}
    count = _allowed(attempts).update(**changes)
    begun = list(attempts)
    if count != len(attempts):
        pks = set(_mine(attempts).filter(step=Step.RENAMING, renaming_at=now).values_list("pk", flat=True))
        begun = [attempt for attempt in attempts if attempt.delivery.pk in pks]
    for attempt in begun:
        attempt.delivery.step, attempt.delivery.renaming_at, attempt.owns_file = Step.RENAMING, now, False
    return begun


def begin_signals(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Record `signalling`: the file is in its place, and its done-file may be there; return those that are mine."""
    if not attempts:
        return []
    now = timezone.now()
    _mine(attempts).update(step=Step.SIGNALLING, lease_until=now + attempts[0].lease)
    pks = set(_mine(attempts).filter(step=Step.SIGNALLING).values_list("pk", flat=True))
    begun = [attempt for attempt in attempts if attempt.delivery.pk in pks]
    for attempt in begun:
        attempt.delivery.step, attempt.owns_file = Step.SIGNALLING, False
    return begun


def sent(attempts: Sequence[Attempt], remark: str = "") -> None:
    """Record that the suppliers have the files."""
    if not attempts:
        return
    now = timezone.now()
    changed = _mine(attempts).update(**FREE, status=Status.SENT, step=Step.SENT, sent_at=now, last_error="")
    done = list(attempts)
    if changed != len(attempts):
        pks = set(_of(attempts).filter(status=Status.SENT, sent_at=now).values_list("pk", flat=True))
        done = [attempt for attempt in attempts if attempt.delivery.pk in pks]
        for attempt in attempts:
            if attempt.delivery.pk not in pks:
                attempt.lost()
    _hand_over([attempt.delivery.supplier_order for attempt in done], now)
    outcome = DeliveryAttempt.Outcome.SENT
    DeliveryAttempt.objects.bulk_create([attempt.row(outcome, remark) for attempt in done])
    timeline.record_all([_delivered(attempt, remark) for attempt in done])
    for attempt in done:
        log.info("delivery.sent", extra=attempt.ids)


def renew(attempts: Sequence[Attempt]) -> None:
    """Keep the claims while the files before them are brought; of orders that somebody is at, the next time."""
    with transaction.atomic():
        free = settlement.lock_free(attempt.order_id for attempt in attempts)
        if mine := [attempt for attempt in attempts if attempt.order_id in free]:
            _mine(mine).update(lease_until=timezone.now() + mine[0].lease)


def give_back(attempts: Sequence[Attempt]) -> None:
    """Free claims whose next step was not begun; that does not count as an attempt."""
    untouched = [attempt for attempt in attempts if attempt.owns_file and not attempt.is_there]
    if untouched:
        _mine(untouched).update(**FREE, step=Step.NONE, temporary_name="", attempts=Attempt.UNCOUNTED)
    if others := [attempt for attempt in attempts if attempt not in untouched]:
        _mine(others).update(**FREE, attempts=Attempt.UNCOUNTED)


def _hand_over(parts: list[SupplierOrder], now: datetime) -> None:
    pks = [part.pk for part in parts]
    left = len(parts)
    for supplier in {part.supplier for part in parts}:
        left -= SupplierOrder.objects.filter(pk__in=pks, supplier=supplier, status=SupplierOrder.Status.READY).update(
            status=SupplierOrder.Status.SENT, sent_at=now, attention="", reply_due_at=overdue.due_at(supplier, now)
        )
    if left:
        stopped = SupplierOrder.objects.filter(pk__in=pks).exclude(status__in=list(SupplierOrder.RANK))
        stopped.update(attention="Its file went out all the same. Tell the supplier.")
    revisions.took_effect(pks)


def _delivered(attempt: Attempt, remark: str) -> Happening:
    delivery, part = attempt.delivery, attempt.delivery.supplier_order
    text = f"{delivery.final_name} delivered to {delivery.endpoint}. {remark}".strip()
    return Happening(part.order, "delivered", text, part.reference, webhook_event=part.webhook_event)


def _begin(attempts: Sequence[Attempt], endpoint: Endpoint, rows: QuerySet[Delivery]) -> list[Attempt]:
    # Nothing of the document changes any more once its first upload is recorded.
    before, after = naming.temporary_frame(endpoint, attempts[0].delivery.claim_token)
    now = timezone.now()
    count = rows.update(
        step=Step.UPLOADING,
        temporary_name=Concat(Value(before), F("final_name"), Value(after)),
        first_claimed_at=Coalesce(F("first_claimed_at"), now),
        lease_until=now + attempts[0].lease,
    )
    names = {attempt.delivery.pk: f"{before}{attempt.delivery.final_name}{after}" for attempt in attempts}
    if count != len(attempts):
        found = dict(_mine(attempts).filter(step=Step.UPLOADING).values_list("pk", "temporary_name"))
        names = {pk: name for pk, name in names.items() if found.get(pk) == name}
    begun = [attempt for attempt in attempts if attempt.delivery.pk in names]
    for attempt in begun:
        attempt.delivery.step, attempt.delivery.temporary_name = Step.UPLOADING, names[attempt.delivery.pk]
        attempt.owns_file = True
    return begun


def _of(attempts: Sequence[Attempt]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk__in=[attempt.delivery.pk for attempt in attempts])


def _mine(attempts: Sequence[Attempt]) -> QuerySet[Delivery]:
    return _of(attempts).filter(claim_token__in={attempt.delivery.claim_token for attempt in attempts})


def _allowed(attempts: Sequence[Attempt]) -> QuerySet[Delivery]:
    # Asked first: inside the UPDATE, PostgreSQL joins row by row. The orders are locked, so that no hold comes between.
    free = due.free_to_go().filter(pk__in=[attempt.delivery.pk for attempt in attempts])
    pks = set(free.values_list("pk", flat=True))
    # The columns of the row itself stand here, too: PostgreSQL looks at them again after waiting for the row.
    return _mine([attempt for attempt in attempts if attempt.delivery.pk in pks]).filter(_UNSTOPPED)
