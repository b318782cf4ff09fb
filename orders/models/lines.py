"""The lines of an order."""

from django.db import models
from django.db.models.functions import Lower

from hemi.lib import money
from orders.models.orders import Order


class OrderLine(models.Model):
    """One line, in its newest state: `quantity` as ordered, `current` without what was removed since, `sendable`
    what of that is not fulfilled either."""

    class Routing(models.TextChoices):
        WAITING = "waiting", "Not routed yet"
        ROUTED = "routed", "Given to a supplier"
        SET_ASIDE = "set_aside", "Set aside by a rule"
        UNROUTED = "unrouted", "No rule takes it"
        WITHDRAWN = "withdrawn", "Taken back from the supplier"
        NOTHING = "nothing", "Nothing to send"

    order = models.ForeignKey(Order, models.CASCADE, db_index=False, related_name="lines")
    shopify_id = models.BigIntegerField("Shopify's id")
    position = models.PositiveIntegerField("position")
    sku = models.CharField("SKU", max_length=255, blank=True, default="")
    title = models.CharField("title", max_length=1000)
    variant_title = models.CharField("variant", max_length=1000, blank=True, default="")
    vendor = models.CharField("vendor", max_length=255, blank=True, default="")
    product_id = models.BigIntegerField("Shopify's product id", null=True, blank=True)
    variant_id = models.BigIntegerField("Shopify's variant id", null=True, blank=True)
    product_type = models.CharField("product type", max_length=255, null=True, blank=True)  # null: not read yet
    quantity = models.PositiveIntegerField("ordered")
    current = models.PositiveIntegerField("ordered now")
    sendable = models.PositiveIntegerField("to send")
    requires_shipping = models.BooleanField("needs shipping", default=True)
    is_gift_card = models.BooleanField("gift card", default=False)
    price = models.DecimalField("price of one", **money.DIGITS)
    discount = models.DecimalField("discount of the line", **money.DIGITS)
    tax = models.DecimalField("tax of the line", **money.DIGITS)
    properties = models.JSONField("properties", default=list, blank=True)
    routing = models.CharField("routing", max_length=20, choices=Routing, default=Routing.WAITING)
    routing_note = models.CharField("why", max_length=300, blank=True, default="")

    class Meta:
        ordering = ["order", "position"]
        constraints = [models.UniqueConstraint(fields=["order", "shopify_id"], name="line_once_per_order")]
        indexes = [models.Index(Lower("sku"), name="line_sku_in_any_case")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"
