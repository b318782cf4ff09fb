"""Shoppers of a storefront, and the orders that they may see."""

from django.db import models
from django.utils import timezone

from integrations.models import AccountShopify, AccountShopline


class ShopperLink(models.Model):
    """A SHOPLINE customer known to be the owner of orders: by e-mail, and where known by a store's customer id."""

    class Source(models.TextChoices):
        ORDER = "order", "Told an order's number and e-mail"
        STAFF = "staff", "Imported by staff"

    shopline = models.ForeignKey(AccountShopline, models.CASCADE, related_name="+", verbose_name="Account SHOPLINE")
    customer_id = models.CharField("SHOPLINE's customer id", max_length=100)
    email = models.CharField("email", max_length=320, help_text="In lower case.")
    account = models.ForeignKey(
        AccountShopify, models.CASCADE, null=True, blank=True, related_name="+", verbose_name="Account Shopify"
    )
    shopify_customer_id = models.BigIntegerField("Shopify's customer id", null=True, blank=True)
    source = models.CharField("linked by", max_length=10, choices=Source)
    created_at = models.DateTimeField("linked", default=timezone.now)

    class Meta:
        verbose_name = "linked shopper"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["shopline", "customer_id", "email"], name="shopper_linked_once_per_email")
        ]
        indexes = [models.Index(fields=["email"], name="shopper_email")]

    def __str__(self) -> str:
        return f"Customer {self.customer_id} of {self.shopline.shop_name}"


class UsedTicket(models.Model):
    """A one-time form that was sent: its ticket is not taken again. Only the ticket's SHA-256 is kept."""

    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)


class LookupCount(models.Model):
    """How often something was asked for in a window of time; `key` is a digest of what is counted, never the thing."""

    key = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(default=0)
    ends_at = models.DateTimeField(db_index=True)
