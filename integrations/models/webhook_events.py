"""What Shopify posted, as it came."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from integrations.models.accounts import AccountShopify


class WebhookEvent(Claimable):
    """One webhook: its raw bytes and headers. Unique by account and Shopify's webhook id, so a repeat is no second."""

    class Status(models.TextChoices):
        NEW = "new", "Waiting"
        DONE = "done", "Processed"
        IGNORED = "ignored", "Ignored"
        FAILED = "failed", "Could not be processed"

    DUE = (Status.NEW,)

    account = models.ForeignKey(AccountShopify, models.PROTECT, db_index=False, related_name="webhook_events")
    webhook_id = models.CharField("webhook id", max_length=100)
    topic = models.CharField("topic", max_length=100)
    shop_domain = models.CharField("shop domain", max_length=255, blank=True, default="")
    event_id = models.CharField("event id", max_length=100, blank=True, default="")
    api_version = models.CharField("API version", max_length=20, blank=True, default="")
    triggered_at = models.DateTimeField("triggered", null=True, blank=True)
    received_at = models.DateTimeField("received", default=timezone.now)
    body = models.BinaryField(editable=False)
    status = models.CharField("state", max_length=10, choices=Status, default=Status.NEW)
    note = models.CharField("note", max_length=500, blank=True, default="")
    redacted_at = models.DateTimeField("personal data removed", null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "webhook event"
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["account", "webhook_id"], name="webhook_once_per_account")]
        permissions = [
            ("replay_webhookevent", "Can process a webhook again"),
            ("read_webhookevent_payload", "Can read what a webhook said"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="new"), name="webhook_event_due"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.webhook_id}"
