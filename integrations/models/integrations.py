"""An app at a platform, and what proves to the platform that we are it."""

import uuid

from django.conf import settings
from django.db import models

from hemi.lib.fields import EncryptedTextField


class Integration(models.Model):
    """One app at one platform. A blank field means the setting."""

    class Platform(models.TextChoices):
        SHOPIFY = "shopify", "Shopify"
        SHOPLINE = "shopline", "SHOPLINE"

    class AppType(models.TextChoices):
        CUSTOM = "custom", "Custom"
        PRIVATE = "private", "Private (unlisted)"
        PUBLIC = "public", "Public"
        INTERNAL = "internal", "Internal"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField("name", max_length=200, unique=True)
    platform = models.CharField("platform", max_length=20, choices=Platform, default=Platform.SHOPIFY)
    app_type = models.CharField("app type", max_length=20, choices=AppType, default=AppType.CUSTOM)
    redirect_uri = models.URLField(
        "redirect URI",
        blank=True,
        default="",
        help_text="Where Shopify sends the client's browser after consent; it must stand in the app's settings, "
        "letter for letter. Blank: Hemi's own callback.",
    )
    landing_url = models.URLField(
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
        return self.app_type == self.AppType.INTERNAL

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


class IntegrationCredentials(models.Model):
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
    updated_at = models.DateTimeField("changed", auto_now=True)

    class Meta:
        verbose_name = verbose_name_plural = "Integration Credentials"

    def __str__(self) -> str:
        return f"Credentials of {self.integration}"

    @property
    def secrets(self) -> list[str]:
        """The secrets that a signature may have been made with, the current one first."""
        return [secret for secret in (self.client_secret, self.previous_client_secret) if secret]
