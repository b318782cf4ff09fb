"""What a store's webhook subscriptions are, as Shopify listed them."""

from django.db import models
from django.utils import timezone

from integrations.models.accounts import AccountShopify


class WebhookSubscription(models.Model):
    """One subscription of an account's store that posts to Hemi, as last read back from Shopify."""

    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="subscriptions")
    topic = models.CharField("topic", max_length=100)
    uri = models.CharField("address", max_length=500)
    shopify_id = models.CharField("Shopify's id", max_length=100, blank=True, default="")
    api_version = models.CharField("API version", max_length=20, blank=True, default="")
    is_listed = models.BooleanField("listed by Shopify", default=True)
    note = models.CharField("note", max_length=500, blank=True, default="")
    received_at = models.DateTimeField("last received", null=True, blank=True)
    checked_at = models.DateTimeField("checked", default=timezone.now)

    class Meta:
        verbose_name = "webhook subscription"
        ordering = ["topic"]
        constraints = [models.UniqueConstraint(fields=["account", "topic"], name="subscription_once_per_topic")]

    def __str__(self) -> str:
        return self.topic
