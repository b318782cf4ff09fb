"""What suppliers send back."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from hemi.lib.recorded import Recorded
from suppliers.models.endpoints import Endpoint
from suppliers.models.supplier_orders import SupplierOrder


class ReplyColumns(Recorded):
    """How an endpoint's CSV replies are read: the name (or number, from 1) of each column."""

    endpoint = models.OneToOneField(Endpoint, models.CASCADE, related_name="reply_columns")
    delimiter = models.CharField("between fields", max_length=1, default=";")
    encoding = models.CharField("encoding", max_length=20, default="utf-8")
    has_header = models.BooleanField("the first row holds the names", default=True)
    reference = models.CharField("reference", max_length=100, default="reference")
    status = models.CharField("state", max_length=100, default="status")
    words = models.TextField(
        "words for the states",
        blank=True,
        default="",
        help_text="One a line, such as: versandt = shipped, or: offen = nothing. The words taken, accepted, rejected "
        "and shipped are understood anyway.",
    )
    sku = models.CharField("SKU", max_length=100, blank=True, default="", help_text="Blank: a row is a whole order.")
    quantity = models.CharField("quantity", max_length=100, blank=True, default="")
    supplier_reference = models.CharField("supplier's reference", max_length=100, blank=True, default="")
    reason = models.CharField("reason", max_length=100, blank=True, default="")
    despatch = models.CharField("number of the shipment", max_length=100, blank=True, default="")
    carrier = models.CharField("carrier", max_length=100, blank=True, default="")
    tracking_number = models.CharField("tracking number", max_length=100, blank=True, default="")
    tracking_url = models.CharField("tracking address", max_length=100, blank=True, default="")

    class Meta:
        verbose_name = "columns of CSV replies"
        verbose_name_plural = "columns of CSV replies"

    def history_owner(self) -> models.Model:
        return self.endpoint

    def __str__(self) -> str:
        return f"CSV replies of {self.endpoint}"


class SupplierReply(Claimable):
    """A file from a supplier, kept as it came and accepted once: by endpoint, name and content.

    What it says is in its statements; `kind`, `reference` and `supplier_order` repeat it where there is just one.
    """

    class Source(models.TextChoices):
        FILE = "file", "A file"
        DONE_FOLDER = "done_folder", "The order file was moved to the folder of taken files"
        FAILED_FOLDER = "failed_folder", "The order file was moved to the folder of refused files"
        GONE = "gone", "The order file was taken away"

    class Status(models.TextChoices):
        NEW = "new", "Waiting"
        APPLIED = "applied", "Applied"
        PARTLY = "partly", "Partly applied"
        UNMATCHED = "unmatched", "No such order"
        UNREADABLE = "unreadable", "Cannot be read"
        SETTLED = "settled", "Settled by a person"

    # Something in it waits for a person.
    OPEN = (Status.PARTLY, Status.UNMATCHED, Status.UNREADABLE)

    endpoint = models.ForeignKey(Endpoint, models.PROTECT, db_index=False, related_name="replies")
    file_name = models.CharField("file name", max_length=255)
    source = models.CharField("what came", max_length=15, choices=Source, default=Source.FILE)
    format = models.CharField("format", max_length=30, blank=True, default="")
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
            models.UniqueConstraint(
                fields=["endpoint", "file_name", "source", "sha256"], name="reply_once_per_endpoint"
            )
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="new"), name="reply_due"),
            models.Index(fields=["status", "-id"], name="reply_status"),
        ]
        permissions = [("reread_supplierreply", "Can read and match a reply again")]

    def __str__(self) -> str:
        return self.file_name


class ReplyStatement(models.Model):
    """What a reply says of one order: a CSV may speak of many. Made anew when the reply is read again.

    `lines` are rows of {"line" (number in the document, or Shopify's id), "sku", "status", "quantity", "reason"};
    `numbers` and `urls` are for tracking, paired by position.
    """

    class Status(models.TextChoices):
        APPLIED = "applied", "Applied"
        UNCHANGED = "unchanged", "Nothing new"
        WAITING = "waiting", "Waits for its order"
        UNMATCHED = "unmatched", "No such order"
        SETTLED = "settled", "Settled by a person"
        UNREADABLE = "unreadable", "Cannot be read"

    OPEN = (Status.UNMATCHED, Status.UNREADABLE)

    reply = models.ForeignKey(SupplierReply, models.CASCADE, db_index=False, related_name="statements")
    position = models.PositiveIntegerField("number")
    reference = models.CharField("reference", max_length=200, db_index=True)
    kind = models.CharField("says", max_length=20, blank=True)
    supplier_order = models.ForeignKey(
        SupplierOrder, models.PROTECT, null=True, blank=True, related_name="statements", verbose_name="supplier order"
    )
    status = models.CharField("state", max_length=12, choices=Status)
    rest = models.CharField("of the other lines", max_length=20, blank=True, default="")
    lines = models.JSONField("lines", default=list)
    supplier_reference = models.CharField("supplier's reference", max_length=200, blank=True, default="")
    despatch = models.CharField("shipment", max_length=200, blank=True, default="")
    carrier = models.CharField("carrier", max_length=100, blank=True, default="")
    numbers = models.JSONField("tracking numbers", default=list)
    urls = models.JSONField("tracking addresses", default=list)
    reason = models.CharField("reason", max_length=500, blank=True, default="")
    note = models.CharField("note", max_length=500, blank=True, default="")

    class Meta:
        verbose_name = "statement of a reply"
        verbose_name_plural = "statements of replies"
        ordering = ["reply", "position"]
        constraints = [models.UniqueConstraint(fields=["reply", "position"], name="statement_once_per_reply")]
        indexes = [models.Index(fields=["status", "-id"], name="statement_status")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.kind}"
