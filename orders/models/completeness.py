"""How complete a store's orders are at Hemi, day by day."""

from django.db import models
from django.utils import timezone

from integrations.models import AccountShopify


class CompletenessDay(models.Model):
    """The orders that a store placed on one day (UTC) against those that Hemi has.

    `missing` lists Shopify's ids with the numbers that people know. `due_at` is when to compare again; taking a day for
    comparison moves it on.
    """

    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="completeness")
    day = models.DateField("day (UTC)")
    in_store = models.PositiveIntegerField("in the store", default=0)
    stored = models.PositiveIntegerField("stored", default=0)
    missing = models.JSONField("missing", default=list)
    checked_at = models.DateTimeField("compared", null=True, blank=True)
    due_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)

    class Meta:
        verbose_name = "day of completeness"
        verbose_name_plural = "completeness"
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="completeness_once_per_day")]

    def __str__(self) -> str:
        return f"{self.account} {self.day}"
