"""What a person may ask of a delivery."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from hemi.lib import queue
from orders import timeline
from orders.services import Refused
from suppliers import overdue, waiting
from suppliers.models import Delivery, Endpoint, SupplierOrder
from suppliers.services import ground


def retry_now(*, delivery: Delivery, by: Any) -> Delivery:
    """Try a waiting or given-up delivery now; its step stays, so a look decides what is left to do. Raises Refused."""
    with transaction.atomic():
        part = ground.locked(delivery.supplier_order)
        rows = Delivery.objects.filter(pk=delivery.pk, status__in=Delivery.RETRYABLE, is_held=False, redacted_at=None)
        if reason := waiting.reason(Delivery.objects.defer("document").get(pk=delivery.pk)):
            raise Refused(reason)
        if not rows.update(status=Delivery.Status.DUE, attempts=0, next_attempt_at=timezone.now()):
            raise Refused("Only a file that is waiting or given up, and not on hold, can be tried again.")
        Endpoint.objects.filter(pk=delivery.endpoint_id).update(next_attempt_at=timezone.now())
        ground.clear_attention(part)
        timeline.record(part.order, "retry", f"{delivery.final_name} to be tried again now.", part.reference, by)
        queue.kick("suppliers.deliver", delivery.endpoint_id)
        return Delivery.objects.get(pk=delivery.pk)


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
        if was_sent:
            SupplierOrder.objects.filter(pk=part.pk, status=SupplierOrder.Status.READY).update(
                status=SupplierOrder.Status.SENT, sent_at=now, reply_due_at=overdue.due_at(part.supplier, now)
            )
        ground.clear_attention(part)
        word = "was sent" if was_sent else "is to be sent again"
        timeline.record(part.order, "settled", f"{delivery.final_name} {word}: {text}", part.reference, by)
        queue.kick("suppliers.deliver", delivery.endpoint_id)
        return Delivery.objects.get(pk=delivery.pk)
