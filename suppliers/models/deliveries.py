"""The outbox: one row for each document that is brought to an endpoint."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from suppliers.models.endpoints import Endpoint
from suppliers.models.supplier_orders import SupplierOrder


class Delivery(Claimable):
    """A document and where it goes, which changes only as long as nothing of it lies on any server.

    `step` is recorded before it is taken; only a look at the server moves it back. `is_held` is set by hold and cancel
    and asked for in the UPDATE to `renaming`, the point of no return.
    """

    class Status(models.TextChoices):
        DUE = "due", "Waiting"
        SENT = "sent", "Sent"
        DEAD = "dead", "Given up"
        UNCERTAIN = "uncertain", "Uncertain"
        CANCELLED = "cancelled", "Cancelled"

    class Step(models.TextChoices):
        NONE = "", "Not started"
        UPLOADING = "uploading", "Uploading"
        RENAMING = "renaming", "Renaming"
        SIGNALLING = "signalling", "Writing the done-file"
        SENT = "sent", "Sent"

    FINAL = (Status.SENT, Status.CANCELLED)
    # The supplier may have seen it.
    HANDED_OVER = (
        models.Q(status__in=[Status.SENT, Status.UNCERTAIN])
        | models.Q(step__in=[Step.RENAMING, Step.SIGNALLING, Step.SENT])
        | models.Q(resends__gt=0)
    )
    RETRYABLE = (Status.DUE, Status.DEAD)

    supplier_order = models.OneToOneField(SupplierOrder, models.PROTECT, related_name="delivery")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="deliveries")
    status = models.CharField("state", max_length=10, choices=Status, default=Status.DUE)
    step = models.CharField("step", max_length=10, choices=Step, default=Step.NONE, blank=True)
    is_held = models.BooleanField("held", default=False)
    folder = models.CharField("folder", max_length=500)
    final_name = models.CharField("file name", max_length=200, db_index=True)
    temporary_name = models.CharField("temporary name", max_length=400, blank=True, default="")
    done_name = models.CharField("done-file", max_length=250, blank=True, default="")
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveIntegerField("bytes")
    remarks = models.TextField("remarks", blank=True, default="", help_text="What was changed to make the document.")
    redacted_at = models.DateTimeField("personal data removed", null=True, blank=True, editable=False)
    created_at = models.DateTimeField("made", default=timezone.now)
    first_claimed_at = models.DateTimeField("first tried", null=True, blank=True)
    renaming_at = models.DateTimeField("handed over", null=True, blank=True, editable=False)
    sent_at = models.DateTimeField("sent", null=True, blank=True)
    seen_at = models.DateTimeField("last seen in the folder", null=True, blank=True, editable=False)
    resends = models.PositiveIntegerField("sent again", default=0)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "folder", "final_name"], name="file_name_once_per_endpoint")
        ]
        indexes = [
            models.Index(fields=["endpoint", "next_attempt_at"], condition=models.Q(status="due"), name="delivery_due"),
            models.Index(fields=["status", "-id"], name="delivery_status"),
            models.Index(fields=["sent_at"], name="delivery_sent"),
            models.Index(fields=["endpoint"], condition=models.Q(step="uploading"), name="delivery_uploading"),
        ]
        permissions = [
            ("resend_delivery", "Can retry and settle deliveries"),
            ("download_delivery", "Can download documents"),
        ]

    def __str__(self) -> str:
        return self.final_name

    @property
    def document(self) -> bytes:
        """The bytes, from their own row."""
        return bytes(self.document_row.content)

    @property
    def may_lie_there(self) -> bool:
        """Whether something of it may lie on the server, from a run that died or from having been sent before."""
        return bool(self.temporary_name or self.resends)


class DeliveryDocument(models.Model):
    """A delivery's document, as it goes out; emptied when personal data is removed.

    A row of its own: SQLite writes a whole row again whichever column changes, and a delivery's do at each step.
    """

    delivery = models.OneToOneField(Delivery, models.CASCADE, primary_key=True, related_name="document_row")
    content = models.BinaryField(editable=False)

    def __str__(self) -> str:
        return f"Document of {self.delivery}"


class DeliveryContent(models.Model):
    """What a delivery's document says, before rules and format: suppliers.documents.content as JSON.

    A row of its own, for lists of deliveries have no use for it.
    """

    delivery = models.OneToOneField(Delivery, models.CASCADE, primary_key=True, related_name="content_row")
    content = models.JSONField()

    def __str__(self) -> str:
        return f"Content of {self.delivery}"


class DeliveryAttempt(models.Model):
    """One try of a delivery, and what the server said."""

    class Outcome(models.TextChoices):
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed, will be tried again"
        GIVEN_UP = "given_up", "Failed, given up"
        UNCERTAIN = "uncertain", "Uncertain"
        STOPPED = "stopped", "Stopped by a hold or cancellation"
        RESEND = "resend", "To be sent again, as a person asked"

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_rows")
    number = models.PositiveIntegerField("number")
    started_at = models.DateTimeField("started")
    ended_at = models.DateTimeField("ended", default=timezone.now)
    outcome = models.CharField("outcome", max_length=10, choices=Outcome)
    step = models.CharField("step", max_length=10, blank=True, default="")
    message = models.CharField("what happened", max_length=1000, blank=True, default="")

    class Meta:
        verbose_name = "delivery attempt"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.delivery}"
