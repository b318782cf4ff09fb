"""What a person may ask of a delivery."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from hemi.lib import queue
from orders import timeline
from orders.services import Refused
from orders.timeline import Happening
from suppliers import addressing, due, journal, overdue, recall, resending, revisions, turns, waiting
from suppliers.models import Delivery, DeliveryAttempt, Endpoint, SupplierOrder
from suppliers.services import ground

BATCH = 200  # deliveries that are retried in one transaction
_RESET = [
    *("status", "step", "temporary_name", "attempts", "next_attempt_at"),
    *("resends", "is_held", "claim_token", "lease_until", "renaming_at"),
]


def retry_now(*, delivery: Delivery, reason: str, by: Any) -> Delivery:
    """Try a waiting or given-up delivery now; its step stays, so a look decides what is left to do. Raises Refused.

    One that nobody has seen goes where its supplier and its endpoint want it today.
    """
    with transaction.atomic():
        part = ground.locked(delivery.supplier_order)
        rows = Delivery.objects.filter(pk=delivery.pk, status__in=Delivery.RETRYABLE, is_held=False, redacted_at=None)
        addressing.of_locked([delivery.pk])
        fresh = Delivery.objects.get(pk=delivery.pk)
        if refusal := waiting.reason(fresh):
            raise Refused(refusal)
        text = ground.reason(reason)
        if not rows.update(status=Delivery.Status.DUE, attempts=0, next_attempt_at=timezone.now()):
            raise Refused("Only a file that is waiting or given up, and not on hold, can be tried again.")
        Endpoint.objects.filter(pk=fresh.endpoint_id).update(next_attempt_at=timezone.now())
        ground.clear_attention(part)
        timeline.record(part.order, "retry", _again(fresh, text), part.reference, by)
        queue.kick("suppliers.deliver", fresh.endpoint_id)
        return Delivery.objects.get(pk=delivery.pk)


def retry_many(*, deliveries: Iterable[int], reason: str, by: Any) -> int:
    """Try those of the deliveries (by primary key) that can be tried again, in batches; return how many those were.

    Raises Refused where no reason is given.
    """
    text, pks, count = ground.reason(reason), list(deliveries), 0
    for start in range(0, len(pks), BATCH):
        count += _retry_batch(pks[start : start + BATCH], text, by)
    return count


def send_again(*, delivery: Delivery, reason: str, by: Any) -> Delivery:
    """Send the very same document under the same name once more, as agreed with the supplier. Raises Refused."""
    with transaction.atomic():
        part, fresh = _sent(delivery)
        text, now = ground.reason(reason), timezone.now()
        fresh.status, fresh.step, fresh.temporary_name = Delivery.Status.DUE, Delivery.Step.NONE, ""
        fresh.attempts, fresh.next_attempt_at, fresh.resends = 0, now, fresh.resends + 1
        fresh.is_held, fresh.claim_token, fresh.lease_until, fresh.renaming_at = False, "", None, None
        fresh.save(update_fields=_RESET)
        _note_resend(fresh, "same document again, agreed with the supplier", text, by)
        what = f"{fresh.final_name} is sent again as it is, agreed with the supplier: {text}"
        timeline.record(part.order, "resend", what, part.reference, by)
        queue.kick("suppliers.deliver", fresh.endpoint_id)
        return fresh


def send_correction(*, delivery: Delivery, reason: str, by: Any) -> SupplierOrder:
    """Make a new revision of a sent document, from the order as it is now. Raises Refused."""
    with transaction.atomic():
        part, fresh = _sent(delivery)
        if refusal := resending.why_no_correction(part):
            raise Refused(refusal)
        text = ground.reason(reason)
        newer = revisions.revise(part, kind=SupplierOrder.Kind.REVISION, reason=text, by=by)
        _note_resend(fresh, f"correction: new revision {newer.reference}", text, by)
        return newer


def settle_uncertain(*, delivery: Delivery, was_sent: bool, reason: str, by: Any) -> Delivery:
    """Settle by a person's word whether an uncertain file arrived: sent, or to be sent again. Raises Refused."""
    with transaction.atomic():
        part = ground.locked(delivery.supplier_order)
        now = timezone.now()
        outcome = (
            {"status": Delivery.Status.SENT, "step": Delivery.Step.SENT, "sent_at": now}
            if was_sent
            else {"status": Delivery.Status.DUE, "step": Delivery.Step.UPLOADING, "attempts": 0, "next_attempt_at": now}
        )
        text = ground.reason(reason)
        uncertain = Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.UNCERTAIN, redacted_at=None)
        if not uncertain.update(**outcome, claim_token="", lease_until=None):
            raise Refused("This delivery is not uncertain.")
        settled = Delivery.objects.select_related("endpoint", "supplier_order__order").get(pk=delivery.pk)
        journal.settled(settled, was_sent=was_sent)
        recall.note_settled(settled, was_sent=was_sent)
        if was_sent:
            SupplierOrder.objects.filter(pk=part.pk, status=SupplierOrder.Status.READY).update(
                status=SupplierOrder.Status.SENT, sent_at=now, reply_due_at=overdue.due_at(part.supplier, now)
            )
            revisions.took_effect([part.pk])
        else:
            revisions.look_again([part.order_id])  # it may have changed or been cancelled since
        ground.clear_attention(part)
        word = "was sent" if was_sent else "is to be sent again"
        timeline.record(part.order, "settled", f"{delivery.final_name} {word}: {text}", part.reference, by)
        queue.kick("suppliers.deliver", delivery.endpoint_id)
        return Delivery.objects.get(pk=delivery.pk)


def _sent(delivery: Delivery) -> tuple[SupplierOrder, Delivery]:
    """Lock the order of a delivery that is sent, and return the part and the delivery as they are now."""
    part = ground.locked(delivery.supplier_order)
    fresh = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    fresh.supplier_order = part
    if refusal := resending.why_not(fresh):
        raise Refused(refusal)
    return part, fresh


def _note_resend(delivery: Delivery, choice: str, reason: str, by: Any) -> None:
    DeliveryAttempt.objects.create(
        delivery=delivery,
        number=delivery.attempt_rows.count() + 1,
        started_at=timezone.now(),
        outcome=DeliveryAttempt.Outcome.RESEND,
        message=f"{choice[0].upper()}{choice[1:]}, asked by {by or 'Hemi'}: {reason}"[:1000],
    )


def _retry_batch(pks: list[int], reason: str, by: Any) -> int:
    orders = dict(Delivery.objects.filter(pk__in=pks).values_list("pk", "supplier_order__order"))
    counts = []

    def write(locked: set[int]) -> None:
        counts.append(_retry([pk for pk, order_id in orders.items() if order_id in locked], reason, by))

    turns.each(orders.values(), write)
    return sum(counts)


def _retry(pks: list[int], reason: str, by: Any) -> int:
    now = timezone.now()
    addressing.of_locked(pks)
    wanted = due.retryable().filter(pk__in=pks).values("pk")
    changes = {"status": Delivery.Status.DUE, "attempts": 0, "next_attempt_at": now}
    Delivery.objects.filter(pk__in=wanted, status__in=Delivery.RETRYABLE, is_held=False).update(**changes)
    return _tell_retried(pks, now, reason, by)


def _tell_retried(pks: list[int], now: datetime, reason: str, by: Any) -> int:
    rows = Delivery.objects.filter(pk__in=pks, status=Delivery.Status.DUE, next_attempt_at=now)
    retried = list(rows.select_related("supplier_order__order"))
    parts = [delivery.supplier_order for delivery in retried]
    SupplierOrder.objects.filter(pk__in=[part.pk for part in parts]).exclude(attention="").update(attention="")
    timeline.record_all(
        Happening(part.order, "retry", _again(delivery, reason), part.reference, by)
        for delivery, part in zip(retried, parts, strict=True)
    )
    endpoints = {delivery.endpoint_id for delivery in retried}
    Endpoint.objects.filter(pk__in=endpoints).update(next_attempt_at=now)
    for endpoint_id in endpoints:
        queue.kick("suppliers.deliver", endpoint_id)
    return len(retried)


def _again(delivery: Delivery, reason: str) -> str:
    return f"{delivery.final_name} to be tried again now: {reason}"
