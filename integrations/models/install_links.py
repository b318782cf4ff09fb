"""An install link: one attempt of one store to connect, from its making to the token."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from hemi.lib.claims import Claimable
from hemi.lib.fields import AddressField, EncryptedTextField
from integrations import scopes
from integrations.models.accounts import AccountShopify
from integrations.models.integrations import Integration


class InstallLink(Claimable):
    """The claim columns serve the work that the status asks for: sending the mail, or exchanging the code."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CODE_RECEIVED = "code_received", "Connecting"
        CONNECTED = "connected", "Connected"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"
        SUPERSEDED = "superseded", "Replaced by a newer link"

    class Mail(models.TextChoices):
        NONE = "", "Not mailed"
        DUE = "due", "Being mailed"
        SENT = "sent", "Mailed"
        FAILED = "failed", "Could not be mailed"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="install_links")
    integration = models.ForeignKey(Integration, models.PROTECT, related_name="+")
    status = models.CharField("state", max_length=20, choices=Status, default=Status.OPEN)
    reason = models.CharField("reason", max_length=500, blank=True, default="")
    scopes = models.TextField("scopes asked")
    redirect_uri = AddressField("redirect URI", max_length=500)
    state_hash = models.CharField(max_length=64, unique=True, editable=False)
    state = EncryptedTextField(blank=True, default="", editable=False)  # wiped once it is used
    code_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    code = EncryptedTextField(blank=True, default="", editable=False)  # wiped once it is exchanged
    granted_scopes = models.TextField("scopes granted", blank=True, default="")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField("made", default=timezone.now)
    expires_at = models.DateTimeField("expires")
    used_at = models.DateTimeField("used", null=True, blank=True)
    connected_at = models.DateTimeField("connected", null=True, blank=True)
    mail = models.CharField("mail", max_length=10, choices=Mail, default=Mail.NONE, blank=True)
    mailed_to = models.EmailField("mailed to", blank=True, default="")
    mailed_at = models.DateTimeField("mailed", null=True, blank=True)
    reminders = models.PositiveSmallIntegerField("reminders mailed", default=0)
    next_reminder_at = models.DateTimeField("next reminder", null=True, blank=True)
    renewal_asked_at = models.DateTimeField("client asked for a new link", null=True, blank=True)
    mail_error = models.TextField("what the mail server said", blank=True, default="")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(status="open"), name="one_open_install_link_per_account"
            )
        ]

    def __str__(self) -> str:
        return f"Install link {self.pk} of {self.account}"

    @property
    def missing_scopes(self) -> list[str]:
        """What was asked and not granted, once the link has been used."""
        return scopes.missing(self.scopes, self.granted_scopes) if self.connected_at else []

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
