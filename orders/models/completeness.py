"""How complete a store's orders are at Hemi, day by day."""

from django.db import models
from django.utils import timezone

from integrations.models import AccountShopify


class CompletenessDay(models.Model):
    """The orders that a store placed on one day (UTC) against those that Hemi has; `missing` are Shopify ids."""

    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="completeness")
    day = models.DateField("day (UTC)")
    in_store = models.PositiveIntegerField("in the store")
    stored = models.PositiveIntegerField("stored")
    missing = models.JSONField("missing", default=list)
    checked_at = models.DateTimeField("compared", default=timezone.now)

    class Meta:
        verbose_name = "day of completeness"
        verbose_name_plural = "completeness"
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="completeness_once_per_day")]

    def __str__(self) -> str:
        return f"{self.account} {self.day}"
