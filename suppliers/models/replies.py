"""What suppliers send back."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from suppliers.models.endpoints import Endpoint
from suppliers.models.supplier_orders import SupplierOrder


class SupplierReply(Claimable):
    """A file from a supplier, kept as it came and accepted once: by endpoint, name and content."""

    class Status(models.TextChoices):
        NEW = "new", "Waiting"
        APPLIED = "applied", "Applied"
        UNMATCHED = "unmatched", "No such order"
        UNREADABLE = "unreadable", "Cannot be read"

    endpoint = models.ForeignKey(Endpoint, models.PROTECT, db_index=False, related_name="replies")
    file_name = models.CharField("file name", max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveIntegerField("bytes")
    content = models.BinaryField(editable=False)
    status = models.CharField("state", max_length=12, choices=Status, default=Status.NEW)
    note = models.CharField("note", max_length=500, blank=True, default="")
    kind = models.CharField("says", max_length=20, blank=True, default="")
    reference = models.CharField("reference", max_length=60, blank=True, default="", db_index=True)
    supplier_order = models.ForeignKey(
        SupplierOrder, models.PROTECT, null=True, blank=True, related_name="replies", verbose_name="supplier order"
    )
    redacted_at = models.DateTimeField("personal data removed", null=True, blank=True, editable=False)
    received_at = models.DateTimeField("received", default=timezone.now)
    applied_at = models.DateTimeField("applied", null=True, blank=True)

    class Meta:
        verbose_name_plural = "supplier replies"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "file_name", "sha256"], name="reply_once_per_endpoint")
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="new"), name="reply_due"),
            models.Index(fields=["status", "-id"], name="reply_status"),
        ]
        permissions = [("reread_supplierreply", "Can read a reply again")]

    def __str__(self) -> str:
        return self.file_name
