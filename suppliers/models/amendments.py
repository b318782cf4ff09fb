"""What changed in an order after a supplier had its file."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from suppliers.models.supplier_orders import SupplierOrder


class Amendment(models.Model):
    """A difference between what a supplier was sent and what the order says now, until somebody sees to it.

    `changes` are rows of {"line" (Shopify's id or null), "what", "before", "after"}. At most one is open for each
    supplier order: a further change of the order replaces its rows.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Waits for a person"
        SENT = "sent", "Sent to the supplier"
        SETTLED = "settled", "Settled by a person"
        UNDONE = "undone", "Nothing to tell any more"

    supplier_order = models.ForeignKey(SupplierOrder, models.CASCADE, related_name="amendments")
    status = models.CharField("state", max_length=10, choices=Status, default=Status.OPEN)
    changes = models.JSONField("changes", default=list)
    is_cancellation = models.BooleanField("cancels the whole part", default=False)
    sent_as = models.ForeignKey(
        SupplierOrder, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="sent as"
    )
    reason = models.CharField("reason", max_length=300, blank=True, default="")
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField("noticed", default=timezone.now)
    settled_at = models.DateTimeField("settled", null=True, blank=True)

    class Meta:
        verbose_name = "change after sending"
        verbose_name_plural = "changes after sending"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["supplier_order"], condition=models.Q(status="open"), name="one_open_amendment_per_part"
            )
        ]
        indexes = [models.Index(fields=["status", "-id"], name="amendment_status")]
        permissions = [("settle_amendment", "Can send and settle changes to orders")]

    def __str__(self) -> str:
        return f"Change to {self.supplier_order}"
