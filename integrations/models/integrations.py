"""An app at a platform, and what proves to the platform that we are it."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from hemi.lib.fields import AddressField, EncryptedTextField
from hemi.lib.recorded import Recorded


class Integration(Recorded):
    """One app at one platform. A blank field means the setting."""

    class Platform(models.TextChoices):
        SHOPIFY = "shopify", "Shopify"
        SHOPLINE = "shopline", "SHOPLINE"

    class AppType(models.TextChoices):
        CUSTOM = "custom", "Custom"
        PRIVATE = "private", "Private (unlisted)"
        PUBLIC = "public", "Public"
        INTERNAL = "internal", "Internal (the client gives a token)"
        ORGANISATION = "organisation", "Internal (Dev Dashboard app in the client's organisation)"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField("name", max_length=200, unique=True)
    platform = models.CharField("platform", max_length=20, choices=Platform, default=Platform.SHOPIFY)
    app_type = models.CharField("app type", max_length=20, choices=AppType, default=AppType.CUSTOM)
    redirect_uri = AddressField(
        "redirect URI",
        blank=True,
        default="",
        help_text="Where Shopify sends the client's browser after consent; it must stand in the app's settings, "
        "letter for letter. Blank: Hemi's own callback.",
    )
    install_url = AddressField(
        "Shopify's install link",
        max_length=500,
        blank=True,
        default="",
        help_text="For custom distribution: the link that the Dev Dashboard made for the client's store. The client "
        "must open it first, so the mail carries it. Blank: the mail carries the authorize link.",
    )
    has_expiring_tokens = models.BooleanField(
        "expiring tokens",
        default=False,
        help_text="Ask for access tokens that expire and are renewed by Hemi. Public and private apps always do.",
    )
    landing_url = AddressField(
        "landing page",
        blank=True,
        default="",
        help_text="Where the client goes on to once connected. Blank: the setting HEMI_LANDING_URL.",
    )
    api_version = models.CharField(
        "API version",
        max_length=10,
        blank=True,
        default="",
        help_text="A Shopify API version such as 2026-10. Blank: the setting SHOPIFY_API_VERSION.",
    )
    is_active = models.BooleanField("active", default=True, help_text="Only active integrations can be chosen.")
    created_at = models.DateTimeField("created", auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_internal(self) -> bool:
        """Whether the app is the client's own, so that nobody has to consent."""
        return self.app_type in (self.AppType.INTERNAL, self.AppType.ORGANISATION)

    @property
    def uses_client_credentials(self) -> bool:
        """Whether Hemi asks for a token with the app's id and secret alone, about once a day."""
        return self.app_type == self.AppType.ORGANISATION

    @property
    def asks_for_expiring_tokens(self) -> bool:
        """Whether an install asks for an expiring token; Shopify wants that of public and unlisted apps."""
        return self.has_expiring_tokens or self.app_type in (self.AppType.PRIVATE, self.AppType.PUBLIC)

    @property
    def callback_url(self) -> str:
        """The redirect URI that Shopify is given, character for character."""
        return self.redirect_uri or f"{settings.HEMI_BASE_URL}/shopify/callback/"

    @property
    def landing_page(self) -> str:
        return self.landing_url or settings.HEMI_LANDING_URL

    @property
    def version(self) -> str:
        return self.api_version or settings.SHOPIFY_API_VERSION


class IntegrationCredentials(Recorded):
    """The id and secrets of an integration's app. The store's token lives on the account."""

    integration = models.OneToOneField(Integration, on_delete=models.PROTECT, related_name="credentials")
    client_id = models.CharField(
        "client id", max_length=200, blank=True, default="", help_text="Not needed for an internal app."
    )
    client_secret = EncryptedTextField(
        "client secret",
        blank=True,
        default="",
        help_text="Signs webhooks and the install. Internal app: its API secret key; without it webhooks are off.",
    )
    previous_client_secret = EncryptedTextField(
        "previous client secret",
        blank=True,
        default="",
        help_text="Still accepted while Shopify changes over after a rotation. Empty it when the rotation is done.",
    )
    previous_secret_until = models.DateTimeField(
        "previous secret accepted until",
        null=True,
        blank=True,
        help_text="Set when a new client secret is saved; after it only the current one is accepted.",
    )
    updated_at = models.DateTimeField("changed", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "Integration Credentials"

    def __str__(self) -> str:
        return f"Credentials of {self.integration}"

    def history_owner(self) -> models.Model:
        return self.integration

    @property
    def secrets(self) -> list[str]:
        """The secrets that a signature may have been made with, the current one first."""
        is_over = self.previous_secret_until is not None and self.previous_secret_until <= timezone.now()
        previous = "" if is_over else self.previous_client_secret
        return [secret for secret in (self.client_secret, previous) if secret]
