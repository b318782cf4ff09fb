"""One attempt of a claimed delivery, and its records.

Every write names the claim's token: a run that lost its claim changes nothing.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from hemi.lib import claims
from integrations import alerts
from orders import timeline
from suppliers import due, overdue, revisions
from suppliers.models import Delivery, DeliveryAttempt, SupplierOrder
from suppliers.transports.errors import Kind, TransportError

log = logging.getLogger(__name__)

Status, Step, Outcome = Delivery.Status, Delivery.Step, DeliveryAttempt.Outcome
# Never below zero: “retry now” may have set it to nothing while the claim ran.
_UNCOUNTED = Greatest(F("attempts") - 1, 0)
_FREE = {"claim_token": "", "lease_until": None}


@dataclass
class Attempt:
    """A delivery that was claimed, with the lease that its steps renew."""

    delivery: Delivery
    lease: timedelta
    started_at: datetime = field(default_factory=timezone.now)
    owns_file: bool = False  # the temporary file is this claim's alone, until `renaming` is recorded

    @property
    def ids(self) -> dict[str, Any]:
        """Return what a log line names."""
        delivery = self.delivery
        return {
            "delivery_id": delivery.pk,
            "endpoint_id": delivery.endpoint_id,
            "order_id": delivery.supplier_order.order_id,
            "reference": delivery.supplier_order.reference,
            "attempt": delivery.attempts,
        }

    def begin_upload(self, temporary_name: str) -> bytes | None:
        """Record `uploading` and return the document, frozen from now on; None if it may not go or is not mine."""
        now = timezone.now()
        changed = self._allowed().update(
            step=Step.UPLOADING,
            temporary_name=temporary_name,
            first_claimed_at=Coalesce(F("first_claimed_at"), now),
            lease_until=now + self.lease,
        )
        if not changed:
            return None
        delivery = self.delivery
        delivery.step, delivery.temporary_name = Step.UPLOADING, temporary_name
        self.owns_file = True
        document, delivery.size = self._mine().values_list("document", "size").get()
        log.info("delivery.uploading", extra=self.ids)
        return bytes(document)

    def begin_rename(self) -> bool:
        """Record `renaming`, the point of no return; False if a hold or another run was first."""
        changed = self._allowed().update(step=Step.RENAMING, lease_until=timezone.now() + self.lease)
        if changed:
            self.delivery.step, self.owns_file = Step.RENAMING, False
            log.info("delivery.renaming", extra=self.ids)
        return bool(changed)

    def is_mine(self) -> bool:
        """Tell whether the claim still stands."""
        return self._mine().exists()

    def step_back(self) -> None:
        """Note that a look found the rename not done."""
        self.delivery.step = Step.UPLOADING

    def sent(self, remark: str = "") -> None:
        """Record that the supplier has the file."""
        now, delivery = timezone.now(), self.delivery
        with transaction.atomic():
            changed = self._mine().update(**_FREE, status=Status.SENT, step=Step.SENT, sent_at=now, last_error="")
            if not changed:
                self._lost()
                return
            part = SupplierOrder.objects.filter(pk=delivery.supplier_order_id)
            is_ready = part.filter(status=SupplierOrder.Status.READY).update(
                status=SupplierOrder.Status.SENT,
                sent_at=now,
                attention="",
                reply_due_at=overdue.due_at(delivery.supplier_order.supplier, now),
            )
            if not is_ready:
                part.update(attention="Its file went out all the same. Tell the supplier.")
            revisions.took_effect(delivery.supplier_order_id)
            self._write(Outcome.SENT, remark)
            text = f"{delivery.final_name} delivered to {delivery.endpoint}."
            self._tell("delivered", f"{text} {remark}".strip())
        log.info("delivery.sent", extra=self.ids)

    def failed(self, error: TransportError) -> None:
        """Record a failure: tried again later, or given up. One of the whole endpoint is none of the file's."""
        delivery = self.delivery
        is_last = error.kind == Kind.FILE or delivery.attempts >= settings.DELIVERY_MAX_ATTEMPTS
        if error.is_about_endpoint:
            self._wait_for_endpoint(error)
        elif is_last and delivery.step == Step.RENAMING:
            self.uncertain(f"The file may be with the supplier, but nobody could look. {error.message}")
        elif is_last:
            self._give_up(error.message)
        else:
            self._try_again(error)

    def uncertain(self, message: str) -> None:
        """Record that nobody knows whether the supplier has the file; only a person goes on from here."""
        with transaction.atomic():
            if not self._mine().update(**_FREE, status=Status.UNCERTAIN, last_error=message):
                self._lost()
                return
            self._write(Outcome.UNCERTAIN, message)
            self._attention(f"It is uncertain whether {self.delivery.endpoint} has the file. {message}")
            self._tell("delivery_uncertain", f"Uncertain whether {self.delivery.final_name} arrived. {message}")
            self._alert(
                "delivery_uncertain",
                f"Uncertain deliveries to {self.delivery.endpoint}",
                "Hemi does not repeat them by itself. Ask the supplier whether it has the file, then settle it.",
            )
        log.error("delivery.uncertain", extra={**self.ids, "error": message})

    def stopped(self) -> None:
        """Record that a hold, pause or cancellation came before the rename. A lost claim is left alone."""
        changes = {"step": Step.NONE, "temporary_name": "", "attempts": _UNCOUNTED}
        with transaction.atomic():
            if not self._mine().update(**_FREE, **changes):
                self._lost()
                return
            self._write(Outcome.STOPPED, "Stopped before the file got its final name.")
        log.info("delivery.stopped", extra=self.ids)

    def give_back(self) -> None:
        """Free a claim that was not worked on; it does not count as an attempt."""
        self._mine().update(**_FREE, attempts=_UNCOUNTED)

    def _mine(self) -> QuerySet[Delivery]:
        return Delivery.objects.filter(pk=self.delivery.pk, claim_token=self.delivery.claim_token)

    def _allowed(self) -> QuerySet[Delivery]:
        # The columns of the row itself stand outside: PostgreSQL looks at them again after waiting for the row.
        return self._mine().filter(status=Status.DUE, is_held=False, pk__in=due.free_to_go().values("pk"))

    def _wait_for_endpoint(self, error: TransportError) -> None:
        # No row of the attempt and no wait: the endpoint has a pause, a counter and an alert of its own, and a server
        # that is down for a night would fill the history of one file.
        changes = {"step": self.delivery.step, "last_error": error.message, "attempts": _UNCOUNTED}
        if not self._mine().update(**_FREE, **changes, next_attempt_at=timezone.now()):
            self._lost()
            return
        log.warning("delivery.waits", extra={**self.ids, "kind": error.kind, "error": error.message})

    def _try_again(self, error: TransportError) -> None:
        due_at = timezone.now() + claims.backoff(self.delivery.attempts)
        with transaction.atomic():
            if not self._mine().update(
                **_FREE, step=self.delivery.step, last_error=error.message, next_attempt_at=due_at
            ):
                self._lost()
                return
            self._write(Outcome.FAILED, error.message)
        log.warning("delivery.failed", extra={**self.ids, "kind": error.kind, "error": error.message})

    def _give_up(self, message: str) -> None:
        delivery = self.delivery
        with transaction.atomic():
            if not self._mine().update(**_FREE, status=Status.DEAD, step=delivery.step, last_error=message):
                self._lost()
                return
            self._write(Outcome.GIVEN_UP, message)
            self._attention(f"The file could not be delivered to {delivery.endpoint}. {message}")
            self._tell("delivery_given_up", f"{delivery.final_name} given up. {message}")
            self._alert(
                "delivery_dead",
                f"Deliveries to {delivery.endpoint} were given up",
                f"The first: {delivery.final_name}. {message}\n\nMend the cause, then retry them.",
            )
        log.error("delivery.given_up", extra={**self.ids, "error": message})

    def _write(self, outcome: DeliveryAttempt.Outcome, message: str) -> None:
        DeliveryAttempt.objects.create(
            delivery=self.delivery,
            number=self.delivery.attempts,
            started_at=self.started_at,
            outcome=outcome,
            step=self.delivery.step,
            message=message[:1000],
        )

    def _attention(self, text: str) -> None:
        SupplierOrder.objects.filter(pk=self.delivery.supplier_order_id).update(attention=text[:500])

    def _tell(self, kind: str, text: str) -> None:
        part = self.delivery.supplier_order
        timeline.record(part.order, kind, text, reference=part.reference)

    def _alert(self, kind: str, subject: str, text: str) -> None:
        alerts.raise_alert(kind, self.delivery.endpoint_id, subject, text)

    def _lost(self) -> None:
        log.warning("delivery.claim_lost", extra=self.ids)
