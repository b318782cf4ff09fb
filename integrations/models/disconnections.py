"""What is left to do at Shopify after an account was disconnected."""

from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from hemi.lib.fields import EncryptedTextField
from integrations.models.accounts import AccountShopify
from integrations.models.integrations import Integration


class Disconnection(Claimable):
    """One disconnecting: it keeps the tokens that the account lost until Hemi's subscriptions are deleted with them."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"

    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="disconnections")
    token = EncryptedTextField(blank=True, default="", editable=False)  # wiped once it is done
    refresh_token = EncryptedTextField(blank=True, default="", editable=False)  # with it, where the token has ended
    integration = models.ForeignKey(Integration, models.SET_NULL, null=True, related_name="+", editable=False)
    status = models.CharField("state", max_length=10, choices=Status, default=Status.WAITING)
    created_at = models.DateTimeField("asked for", default=timezone.now)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Disconnection {self.pk} of {self.account}"
