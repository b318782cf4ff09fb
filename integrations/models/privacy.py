"""What clients' shoppers and stores may ask under privacy law, and what was removed for ever."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from integrations.models.webhook_events import WebhookEvent


class PrivacyRequest(Claimable):
    """One compliance webhook: what was asked, until when it is due, and a record of what was done."""

    class Kind(models.TextChoices):
        DATA_REQUEST = "customers/data_request", "Customer asks what is stored"
        REDACT_CUSTOMER = "customers/redact", "Remove a customer's data"
        REDACT_SHOP = "shop/redact", "Remove a store's data"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"

    event = models.OneToOneField(WebhookEvent, models.SET_NULL, null=True, blank=True, related_name="privacy_request")
    kind = models.CharField("asks for", max_length=30, choices=Kind)
    shop_name = models.CharField("name of the shop", max_length=100)
    customer_id = models.BigIntegerField("Shopify's customer id", null=True, blank=True)
    order_ids = models.JSONField("Shopify's order ids", default=list, blank=True)
    request_id = models.BigIntegerField("Shopify's request id", null=True, blank=True)
    status = models.CharField("state", max_length=10, choices=Status, default=Status.WAITING)
    received_at = models.DateTimeField("received", default=timezone.now)
    due_at = models.DateTimeField("due")
    done_at = models.DateTimeField("done", null=True, blank=True)
    report = models.TextField("what was done", blank=True, default="")
    answer = models.BinaryField("what Hemi holds", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "privacy request"
        ordering = ["-pk"]
        permissions = [("download_privacyrequest", "Can download what Hemi holds on a customer")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.shop_name})"


class Redaction(models.Model):
    """The ledger: ids whose personal data was removed. It is applied again after a restore, and holds no person's data.

    `customer_id` is 0 for a whole store; `shopify_order_id` is 0 for the customer as such. The shop id
    outlasts a renaming.
    """

    shop_name = models.CharField("name of the shop", max_length=100)
    shopify_shop_id = models.BigIntegerField("Shopify's shop id", null=True, blank=True, db_index=True)
    customer_id = models.BigIntegerField("Shopify's customer id", default=0)
    shopify_order_id = models.BigIntegerField("Shopify's order id", default=0)
    at = models.DateTimeField("when", default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["shop_name", "customer_id", "shopify_order_id"], name="redaction_once")
        ]

    def __str__(self) -> str:
        return f"{self.shop_name} {self.customer_id or ''} {self.shopify_order_id or ''}".strip()
