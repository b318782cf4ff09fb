"""Orders that a person asked a store for."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from integrations.models import AccountShopify


class OrderFetch(Claimable):
    """One wish: the orders placed or changed since `since` and placed before `until`, or those of `wanted` alone.

    `position` is how far it got: for a range the change of the last order read, for `wanted` how many were read.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Being fetched"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    DUE = (Status.WAITING,)

    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="order_fetches")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    since = models.DateTimeField("from", null=True, blank=True)
    until = models.DateTimeField("until", null=True, blank=True)
    wanted = models.JSONField("Shopify's order ids", default=list, blank=True, editable=False)
    position = models.CharField(max_length=50, blank=True, default="", editable=False)
    status = models.CharField("state", max_length=10, choices=Status, default=Status.WAITING)
    seen = models.PositiveIntegerField("orders read", default=0)
    new = models.PositiveIntegerField("of them new", default=0)
    changed = models.PositiveIntegerField("of them newer than here", default=0)
    note = models.TextField("note", blank=True, default="")
    created_at = models.DateTimeField("asked for", default=timezone.now)
    done_at = models.DateTimeField("done", null=True, blank=True)

    class Meta:
        verbose_name = "order fetch"
        verbose_name_plural = "order fetches"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="waiting"), name="order_fetch_due")
        ]

    def __str__(self) -> str:
        return f"Orders of {self.account}"
