"""The timeline of a SHOPLINE account."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from integrations.models.accounts_shopline import AccountShopline


class AccountShoplineEvent(models.Model):
    """Something that happened to a SHOPLINE account, with the value before and after; no actor: Hemi did it."""

    account = models.ForeignKey(AccountShopline, models.CASCADE, related_name="events")
    at = models.DateTimeField("when", default=timezone.now)
    kind = models.CharField("kind", max_length=50)
    text = models.CharField("what", max_length=1000)
    before = models.TextField("before", blank=True, default="")
    after = models.TextField("after", blank=True, default="")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "SHOPLINE account event"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.text}"
