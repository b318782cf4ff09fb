"""What goes back to the store: shipments that suppliers told, and the fulfilments made of them."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from orders.models.orders import Order

BY_A_PERSON = "Settled by a person: "  # before the words of staff in a note


class Shipment(Claimable):
    """One despatch of a supplier. `quantities` are pieces by Shopify's line id; `numbers` and `urls` are for tracking.

    Unique by supplier order (`reference`) and despatch. The claim columns serve the planning of its fulfilments.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "To be told to the store"
        TOLD = "told", "Told to the store"
        BLOCKED = "blocked", "Needs a person"
        NOTHING = "nothing", "Nothing to tell"

    DUE = (Status.WAITING,)

    order = models.ForeignKey(Order, models.PROTECT, related_name="shipments")
    reference = models.CharField("supplier order", max_length=60)
    despatch = models.CharField("shipment", max_length=200)
    carrier = models.CharField("carrier", max_length=100, blank=True, default="")
    numbers = models.JSONField("tracking numbers", default=list, blank=True)
    urls = models.JSONField("tracking addresses", default=list, blank=True)
    quantities = models.JSONField("pieces", default=dict)
    status = models.CharField("state", max_length=10, choices=Status, default=Status.WAITING)
    note = models.CharField("note", max_length=500, blank=True, default="")
    created_at = models.DateTimeField("told by the supplier", default=timezone.now)
    told_at = models.DateTimeField("told to the store", null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["reference", "despatch"], name="shipment_once_per_despatch")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="waiting"), name="shipment_due"),
            models.Index(fields=["status", "-id"], name="shipment_status"),
        ]
        permissions = [("settle_shipment", "Can retry and settle shipments")]

    def __str__(self) -> str:
        return f"Shipment {self.despatch} of {self.reference}"


class Fulfilment(models.Model):
    """A part of a shipment as it is told to the store: a row before it is a call, for one fulfilment order.

    `lines` are {"id", "line", "quantity", "remaining"}: the fulfilment order's line, Shopify's line id, the pieces
    to fulfil, and those that were left before it, by which a call of unknown outcome is matched. Rows of one shipment
    and location are one call. Without a fulfilment order the store had it already, or a person said so.
    """

    class Status(models.TextChoices):
        DUE = "due", "Waiting"
        CALLING = "calling", "Being told"
        DONE = "done", "Done"
        UNCERTAIN = "uncertain", "Uncertain"
        BLOCKED = "blocked", "Refused by the store"

    shipment = models.ForeignKey(Shipment, models.PROTECT, db_index=False, related_name="fulfilments")
    fulfillment_order_id = models.BigIntegerField("Shopify's fulfilment order", null=True, blank=True)
    shopify_location_id = models.BigIntegerField("Shopify's location", null=True, blank=True)
    lines = models.JSONField("lines", default=list)
    status = models.CharField("state", max_length=10, choices=Status, default=Status.DUE)
    shopify_id = models.BigIntegerField("Shopify's fulfilment", null=True, blank=True)
    is_tracking_due = models.BooleanField("its tracking came later", default=False, editable=False)
    note = models.CharField("note", max_length=500, blank=True, default="")
    created_at = models.DateTimeField("made", default=timezone.now)
    called_at = models.DateTimeField("called", null=True, blank=True)
    done_at = models.DateTimeField("done", null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "fulfillment_order_id"], name="fulfilment_once_per_fulfillment_order"
            )
        ]
        indexes = [models.Index(fields=["status", "-id"], name="fulfilment_status")]

    def __str__(self) -> str:
        return f"Fulfilment of {self.shipment}"
