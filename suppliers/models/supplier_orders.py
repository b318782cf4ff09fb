"""A supplier's part of an order."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from orders.models import Order, OrderLine
from suppliers.models.suppliers import Supplier


class SupplierOrder(Claimable):
    """Unique by order, supplier and revision. The claim columns serve rendering, which `waiting` asks for."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Document being made"
        BLOCKED = "blocked", "Document cannot be made"
        READY = "ready", "Waiting for delivery"
        SENT = "sent", "Sent"
        TAKEN = "taken", "Taken by the supplier"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        SHIPPED = "shipped", "Shipped"
        CANCELLED = "cancelled", "Cancelled"
        REPLACED = "replaced", "Replaced by a newer revision"

    class Kind(models.TextChoices):
        ORDER = "order", "Order"
        REVISION = "revision", "Whole order again"
        CHANGE = "change", "Change"
        CANCELLATION = "cancellation", "Cancellation"

    UNSENT = (Status.WAITING, Status.BLOCKED, Status.READY)
    CANCELLABLE = (*UNSENT, Status.REJECTED)
    TROUBLED = (Status.BLOCKED, Status.REJECTED)
    # A reply only ever moves up; accepted and rejected are one step.
    RANK = {Status.SENT: 0, Status.TAKEN: 1, Status.ACCEPTED: 2, Status.REJECTED: 2, Status.SHIPPED: 3}

    order = models.ForeignKey(Order, models.PROTECT, db_index=False, related_name="supplier_orders")
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="supplier_orders")
    revision = models.PositiveIntegerField("revision", default=1)
    kind = models.CharField("kind", max_length=15, choices=Kind, default=Kind.ORDER)
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replacements", verbose_name="replaces"
    )
    reference = models.CharField("reference", max_length=60, unique=True, help_text="Hemi's own reference.")
    status = models.CharField("state", max_length=20, choices=Status, default=Status.WAITING)
    attention = models.CharField("needs attention", max_length=500, blank=True, default="")
    held_at = models.DateTimeField("on hold since", null=True, blank=True)
    hold_reason = models.CharField("reason of the hold", max_length=300, blank=True, default="")
    cancel_reason = models.CharField("reason of the cancellation", max_length=300, blank=True, default="")
    supplier_reference = models.CharField("supplier's reference", max_length=200, blank=True, default="")
    reply_reason = models.CharField("supplier's reason", max_length=500, blank=True, default="")
    # No foreign key: a webhook is thinned out long before, and the log still names it.
    webhook_event = models.BigIntegerField("the webhook that it follows from", null=True, blank=True, editable=False)
    created_at = models.DateTimeField("made", default=timezone.now)
    sent_at = models.DateTimeField("sent", null=True, blank=True)
    findings = models.JSONField("what the rules found", default=list, editable=False)
    reply_due_at = models.DateTimeField("reply expected", null=True, blank=True)
    overdue_at = models.DateTimeField("told that the reply is overdue", null=True, blank=True, editable=False)
    replied_at = models.DateTimeField("reply", null=True, blank=True)

    class Meta:
        verbose_name = "supplier order"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "supplier", "revision"], name="supplier_order_once_per_revision"),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=~models.Q(status="cancelled"),
                name="one_replacement_per_supplier_order",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="waiting"), name="rendering_due"),
            models.Index(fields=["id"], condition=~models.Q(attention=""), name="supplier_order_attention"),
            models.Index(fields=["status", "-id"], name="supplier_order_status"),
            models.Index(
                fields=["reply_due_at"],
                condition=models.Q(replied_at=None, reply_due_at__isnull=False),
                name="supplier_order_reply_due",
            ),
        ]
        permissions = [
            ("hold_supplierorder", "Can hold, release and cancel a supplier's part"),
            ("preview_supplierorder", "Can preview and download documents"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def may_go(self) -> bool:
        """Whether its order's state lets it out: a cancellation goes out of an order that does not."""
        return self.order.state == Order.State.READY or self.kind == self.Kind.CANCELLATION

    @property
    def is_untold_cancellation(self) -> bool:
        """Whether the supplier, for all it knows, is still to make what this file cancels."""
        return self.kind == self.Kind.CANCELLATION and self.status in self.UNSENT

    @property
    def replaced_by(self) -> "SupplierOrder | None":
        """The newer revision that has replaced this one, or will once it is sent."""
        return self.replacements.exclude(status=self.Status.CANCELLED).first()


LINE_REPLIES = [
    (status.value, status.label)
    for status in (
        SupplierOrder.Status.TAKEN,
        SupplierOrder.Status.ACCEPTED,
        SupplierOrder.Status.REJECTED,
        SupplierOrder.Status.SHIPPED,
    )
]


class SupplierOrderLine(models.Model):
    """A quantity of an order line that is allocated to a supplier; at most one allocation of a line is live.

    `confirmed` is null until the supplier says how many pieces will come; `shipped` adds up its shipments.
    What the order line's `current` has moved since `ordered_then` is a change of the order.
    """

    supplier_order = models.ForeignKey(SupplierOrder, models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, models.PROTECT, related_name="allocations")
    quantity = models.PositiveIntegerField("quantity")
    ordered_then = models.PositiveIntegerField("ordered when it was given", null=True, blank=True, editable=False)
    is_live = models.BooleanField("live", default=True)
    reply_status = models.CharField("supplier says", max_length=20, choices=LINE_REPLIES, blank=True, default="")
    reply_reason = models.CharField("supplier's reason", max_length=500, blank=True, default="")
    confirmed = models.PositiveIntegerField("accepted", null=True, blank=True)
    shipped = models.PositiveIntegerField("shipped", default=0)

    class Meta:
        verbose_name = "supplier order line"
        ordering = ["order_line__position"]
        constraints = [
            models.UniqueConstraint(
                fields=["order_line"], condition=models.Q(is_live=True), name="one_live_allocation_per_line"
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line.title}"
