"""A CSV of a store's collections that is made in the background."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from integrations.models.accounts import AccountShopify


class CollectionExport(Claimable):
    """One export; its file lies in `var/exports` under `file_name` until `expires_at`.

    While it is made, `size` bytes of the file and `cursor` belong together: a worker that takes over goes on from both.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Ready"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"

    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="collection_exports")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField("state", max_length=10, choices=Status, default=Status.WAITING)
    rows = models.PositiveIntegerField("collections so far", default=0)
    total = models.PositiveIntegerField("collections in all", null=True, blank=True)
    cursor = models.CharField(max_length=500, blank=True, default="", editable=False)
    file_name = models.CharField(max_length=100, blank=True, default="", editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField("asked for", default=timezone.now)
    done_at = models.DateTimeField("ready", null=True, blank=True)
    expires_at = models.DateTimeField("kept until", null=True, blank=True)

    class Meta:
        verbose_name = "collection export"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Collections of {self.account}"
