"""One attempt of a claimed delivery, and how it failed; what goes well is in records.py.

Every write names the claim's token: a run that lost its claim changes nothing.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from hemi.lib import claims, logs
from integrations import alerts
from orders import timeline
from suppliers import journal, naming, revisions, turns
from suppliers.models import Delivery, DeliveryAttempt, SupplierOrder
from suppliers.transports.errors import Kind, TransportError
from suppliers.transports.steps import Rename, Upload

log = logging.getLogger(__name__)

Status, Step, Outcome = Delivery.Status, Delivery.Step, DeliveryAttempt.Outcome
FREE = {"claim_token": "", "lease_until": None}


@dataclass(eq=False)
class Attempt:
    """A delivery that was claimed, with the lease that its steps renew."""

    # Never below zero: “retry now” may have set it to nothing while the claim ran.
    UNCOUNTED: ClassVar = Greatest(F("attempts") - 1, 0)

    delivery: Delivery
    lease: timedelta
    started_at: datetime = field(default_factory=timezone.now)
    document: bytes = field(default=b"", repr=False)
    has_document: bool = False
    owns_file: bool = False  # the temporary file is this claim's alone, until `renaming` is recorded
    is_there: bool = False  # something of it may lie on the server

    @property
    def ids(self) -> dict[str, Any]:
        """Return what a log line names."""
        delivery = self.delivery
        return {
            "delivery_id": delivery.pk,
            "endpoint_id": delivery.endpoint_id,
            "order_id": delivery.supplier_order.order_id,
            "webhook_event": delivery.supplier_order.webhook_event,
            "reference": delivery.supplier_order.reference,
            "attempt": delivery.attempts,
        }

    @property
    def order_id(self) -> int:
        """Return whose order it is."""
        return self.delivery.supplier_order.order_id

    def as_rename(self) -> Rename:
        """Return the rename to its place, as a session is asked for it."""
        return Rename(naming.temporary_path(self.delivery), naming.final_path(self.delivery))

    def as_upload(self) -> Upload:
        """Return the upload under its temporary name, as a session is asked for it."""
        return Upload(naming.temporary_path(self.delivery), naming.final_path(self.delivery), self.document)

    def is_mine(self) -> bool:
        """Tell whether the claim still stands."""
        return self._mine().exists()

    def step_back(self) -> bool:
        """Record that a look found the rename not done; False: the claim was lost.

        Before the temporary file is removed: a run that finds neither of the names would have to ask a person.
        """
        self.delivery.step = Step.UPLOADING
        if not self._mine().update(step=Step.UPLOADING):
            return False  # whoever has it now may have renamed it since
        journal.not_sent(self.delivery)
        return True

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
        with turns.alone(self.order_id):
            if not self._ended(Status.UNCERTAIN, message):
                return
            self._write(Outcome.UNCERTAIN, message)
            self._attention(f"It is uncertain whether {self.delivery.endpoint} has the file. {message}")
            self._tell("delivery_uncertain", f"Uncertain whether {self.delivery.final_name} arrived. {message}")
            self._alert(
                "delivery_uncertain",
                f"Uncertain deliveries to {self.delivery.endpoint}",
                "Hemi does not repeat them by itself. Ask the supplier whether it has the file, then settle it.",
                f"No delivery to {self.delivery.endpoint} is uncertain any more.",
            )
        log.error("delivery.uncertain", extra={**self.ids, "error": message})

    def stopped(self) -> None:
        """Record that a hold, pause or cancellation came before the rename. A lost claim is left alone."""
        changes = {"step": Step.NONE, "temporary_name": "", "attempts": self.UNCOUNTED}
        with turns.alone(self.order_id):
            if not self._mine().update(**FREE, **changes):
                self.lost()
                return
            self._write(Outcome.STOPPED, "Stopped before the file got its final name.")
            revisions.look_again([self.delivery.supplier_order.order_id])
        log.info("delivery.stopped", extra=self.ids)

    def row(self, outcome: DeliveryAttempt.Outcome, message: str = "") -> DeliveryAttempt:
        """Return the row that tells of this attempt, not yet stored."""
        return DeliveryAttempt(
            delivery=self.delivery,
            number=self.delivery.attempts,
            started_at=self.started_at,
            outcome=outcome,
            step=self.delivery.step,
            message=message[:1000],
        )

    def lost(self) -> None:
        """Note that another run has the delivery now."""
        log.warning("delivery.claim_lost", extra=self.ids)

    def _mine(self) -> QuerySet[Delivery]:
        return Delivery.objects.filter(pk=self.delivery.pk, claim_token=self.delivery.claim_token)

    def _state(self, message: str) -> dict[str, Any]:
        delivery = self.delivery
        return {"step": delivery.step, "temporary_name": delivery.temporary_name, "last_error": message}

    def _wait_for_endpoint(self, error: TransportError) -> None:
        # No row of the attempt and no wait: the endpoint has a pause, a counter and an alert of its own, and a server
        # that is down for a night would fill the history of one file.
        if not self._mine().update(
            **FREE, **self._state(error.message), attempts=self.UNCOUNTED, next_attempt_at=timezone.now()
        ):
            self.lost()
            return
        log.warning("delivery.waits", extra={**self.ids, "kind": error.kind, "error": error.message})

    def _try_again(self, error: TransportError) -> None:
        due_at = timezone.now() + claims.backoff(self.delivery.attempts)
        with turns.alone(self.order_id):
            if not self._mine().update(**FREE, **self._state(error.message), next_attempt_at=due_at):
                self.lost()
                return
            self._write(Outcome.FAILED, error.message)
        log.warning("delivery.failed", extra={**self.ids, "kind": error.kind, "error": error.message})

    def _give_up(self, message: str) -> None:
        delivery = self.delivery
        with turns.alone(self.order_id):
            if not self._ended(Status.DEAD, message):
                return
            self._write(Outcome.GIVEN_UP, message)
            self._attention(f"The file could not be delivered to {delivery.endpoint}. {message}")
            self._tell("delivery_given_up", f"{delivery.final_name} given up. {message}")
            self._alert(
                "delivery_dead",
                f"Deliveries to {delivery.endpoint} were given up",
                f"The first: {delivery.final_name}. {message}\n\nMend the cause, then retry them.",
                f"No delivery to {delivery.endpoint} is given up any more.",
            )
        log.error("delivery.given_up", extra={**self.ids, "error": message})

    def _ended(self, status: Delivery.Status, message: str) -> bool:
        """Record that only a person goes on from here. False: it was cancelled meanwhile, or the claim was lost."""
        changes = {**FREE, **self._state(message)}
        if self._mine().filter(status=Status.DUE).update(**changes, status=status):
            return True
        if self._mine().update(**changes):
            self._write(Outcome.STOPPED, message)
        else:
            self.lost()
        return False

    def _write(self, outcome: DeliveryAttempt.Outcome, message: str) -> None:
        self.row(outcome, message).save()

    def _attention(self, text: str) -> None:
        SupplierOrder.objects.filter(pk=self.delivery.supplier_order_id).update(attention=text[:500])

    def _tell(self, kind: str, text: str) -> None:
        part = self.delivery.supplier_order
        with logs.following(webhook_event=part.webhook_event):
            timeline.record(part.order, kind, text, reference=part.reference)

    def _alert(self, kind: str, subject: str, text: str, over: str) -> None:
        with logs.following(webhook_event=self.delivery.supplier_order.webhook_event):
            alerts.raise_alert(kind, self.delivery.endpoint_id, subject, text, over=over)
