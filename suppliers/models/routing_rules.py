"""Which line goes to which supplier."""

from django.core.exceptions import ValidationError
from django.db import models

from hemi.lib.recorded import Recorded
from integrations.models import AccountShopify
from suppliers.models.suppliers import Supplier


class RoutingRule(Recorded):
    """The first rule, by priority, whose every given condition holds takes the line."""

    class Shipping(models.TextChoices):
        ANY = "", "Either"
        YES = "yes", "Needs shipping"
        NO = "no", "Needs no shipping"

    priority = models.PositiveIntegerField("priority", default=100, help_text="The smallest number is asked first.")
    supplier = models.ForeignKey(
        Supplier,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name="send to",
        help_text="Blank: set the line aside, nobody gets it.",
    )
    account = models.ForeignKey(
        AccountShopify, models.CASCADE, null=True, blank=True, verbose_name="account", help_text="Blank: every account."
    )
    vendor = models.CharField("vendor", max_length=255, blank=True, default="", help_text="Compared without case.")
    sku_pattern = models.CharField(
        "SKU pattern",
        max_length=255,
        blank=True,
        default="",
        help_text="Such as NW-*: * stands for any characters, ? for one. Compared without case.",
    )
    product_type = models.CharField(
        "product type", max_length=255, blank=True, default="", help_text="Compared without case; read from the store."
    )
    shipping = models.CharField("shipping", max_length=3, choices=Shipping, default=Shipping.ANY, blank=True)
    is_everything_else = models.BooleanField(
        "everything else", default=False, help_text="Takes whatever no earlier rule took. Leave the conditions blank."
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        verbose_name = "routing rule"
        ordering = ["priority", "pk"]

    def __str__(self) -> str:
        return f"{self.conditions} → {self.supplier or 'set aside'}"

    @property
    def conditions(self) -> str:
        """The conditions in words."""
        parts = [
            f"vendor {self.vendor}" if self.vendor else "",
            f"SKU {self.sku_pattern}" if self.sku_pattern else "",
            f"type {self.product_type}" if self.product_type else "",
            self.get_shipping_display().lower() if self.shipping else "",
        ]
        return ", ".join(part for part in parts if part) or "everything else"

    def clean(self) -> None:
        has_condition = bool(self.vendor or self.sku_pattern or self.product_type or self.shipping)
        if has_condition == self.is_everything_else:
            raise ValidationError(
                "Give a condition (vendor, SKU, product type or shipping), or tick “everything else”."
            )
