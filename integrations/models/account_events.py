"""The timeline of an account."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from integrations.models.accounts import AccountShopify
from integrations.models.install_links import InstallLink


class AccountEvent(models.Model):
    """Something that happened to an account's connection, in words for staff; no actor: Hemi or the client did it."""

    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="events")
    link = models.ForeignKey(InstallLink, models.SET_NULL, null=True, blank=True, related_name="events")
    at = models.DateTimeField("when", default=timezone.now)
    kind = models.CharField("kind", max_length=50)
    text = models.CharField("what", max_length=1000)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    # Set for what an outsider could bring about again and again: such a thing is told once.
    once_key = models.CharField(max_length=100, null=True, unique=True, editable=False)

    class Meta:
        verbose_name = "account event"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.text}"
