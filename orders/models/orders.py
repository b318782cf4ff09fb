"""An order of a store, in its newest state."""

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from hemi.lib import money
from hemi.lib.claims import Claimable
from integrations.models import AccountShopify, WebhookEvent


class Order(Claimable):
    """Unique by account and Shopify id. The claim columns serve routing, asked for by `needs_routing`."""

    class State(models.TextChoices):
        READY = "ready", "Going out"
        UNPAID = "unpaid", "Waiting for payment"
        FILTERED = "filtered", "Held back by the source name filter"
        TOO_OLD = "too_old", "Placed before the cut-over"
        NOTHING = "nothing", "Nothing to send"
        HELD = "held", "On hold"
        CANCELLED = "cancelled", "Cancelled"

    account = models.ForeignKey(AccountShopify, models.PROTECT, db_index=False, related_name="orders")
    shopify_id = models.BigIntegerField("Shopify's id")
    number = models.CharField("number", max_length=100, db_index=True)
    source_name = models.CharField("source name", max_length=100, blank=True, default="")
    placed_at = models.DateTimeField("placed")
    shop_updated_at = models.DateTimeField("changed in the store")
    is_test = models.BooleanField("test order", default=False)
    paid_at = models.DateTimeField("paid", null=True, blank=True)  # a latch: never comes off
    cancelled_at = models.DateTimeField("cancelled in the store", null=True, blank=True)  # a latch
    financial_status = models.CharField("payment", max_length=50, blank=True, default="")
    fulfillment_status = models.CharField("fulfilment", max_length=50, blank=True, default="")
    currency = models.CharField("currency", max_length=3)
    total = models.DecimalField("total", **money.DIGITS)
    total_tax = models.DecimalField("tax", **money.DIGITS)
    total_discount = models.DecimalField("discount", **money.DIGITS)
    total_shipping = models.DecimalField("shipping", **money.DIGITS)
    are_taxes_included = models.BooleanField("prices include tax", default=False)
    customer_id = models.BigIntegerField("Shopify's customer id", null=True, blank=True, db_index=True)
    redacted_at = models.DateTimeField("personal data removed", null=True, blank=True, editable=False)
    email = models.CharField("email", max_length=320, blank=True, default="")
    phone = models.CharField("phone", max_length=100, blank=True, default="")
    customer_name = models.CharField("customer", max_length=500, blank=True, default="")
    shipping_address = models.JSONField("shipping address", null=True, blank=True)
    billing_address = models.JSONField("billing address", null=True, blank=True)
    shipping_methods = models.JSONField("shipping methods", default=list, blank=True)
    note = models.TextField("note", blank=True, default="")
    content_hash = models.CharField(max_length=64, editable=False)
    event = models.ForeignKey(
        WebhookEvent, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="newest webhook"
    )
    stored_at = models.DateTimeField("received", default=timezone.now)

    state = models.CharField("state", max_length=20, choices=State, default=State.READY)
    state_reason = models.CharField("reason", max_length=500, blank=True, default="")
    held_at = models.DateTimeField("on hold since", null=True, blank=True)
    hold_reason = models.CharField("reason of the hold", max_length=300, blank=True, default="")
    stopped_at = models.DateTimeField("cancelled by staff", null=True, blank=True)
    stop_reason = models.CharField("reason of the cancellation", max_length=300, blank=True, default="")
    is_filter_lifted = models.BooleanField("released from the source name filter", default=False)
    attention = models.CharField("needs attention", max_length=500, blank=True, default="")
    needs_routing = models.BooleanField(default=False, editable=False)
    needs_reread = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["account", "shopify_id"], name="order_once_per_account")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(needs_routing=True), name="order_routing_due"),
            models.Index(fields=["id"], condition=models.Q(needs_reread=True), name="order_reread_due"),
            models.Index(fields=["id"], condition=~models.Q(attention=""), name="order_attention"),
            models.Index(fields=["state", "-id"], name="order_state"),
            models.Index(fields=["-placed_at"], name="order_placed"),
            models.Index(Lower("email"), name="order_email_in_any_case"),
        ]
        permissions = [("hold_order", "Can hold, release and cancel orders"), ("route_order", "Can route orders")]

    def __str__(self) -> str:
        return f"Order {self.number} of {self.account.shop_name}"

    @property
    def is_sample(self) -> bool:
        """Whether Hemi made this order by itself, to try a supplier with."""
        return self.shopify_id < 0
