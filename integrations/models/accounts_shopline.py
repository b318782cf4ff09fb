"""A SHOPLINE store, and the App Proxy through which its shoppers reach Hemi."""

import uuid
import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from hemi.lib.fields import AddressField, EncryptedTextField
from hemi.lib.recorded import Recorded
from integrations.models.clients import Client

WORD = RegexValidator(r"\A[A-Za-z0-9_-]+\Z", "Letters, digits, - and _ only.")
COLOUR = RegexValidator(r"\A#[0-9A-Fa-f]{6}\Z", "A colour such as #1f6feb: # and six digits.")


def known_zone(name: str) -> None:
    """Raise ValidationError unless this is the name of a time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("A time zone by its name, such as Asia/Taipei or Europe/Berlin.")


class AccountShopline(Recorded):
    """One SHOPLINE store. The proxy's settings wait in plain columns; those in force stand in `live_` columns.

    `plays_storefront`: Hemi signs for the shop itself and so makes the secret; else SHOPLINE made it.
    """

    also_recorded = ("state", "state_reason", "live_prefix", "live_subpath", "live_proxy_url")

    class Prefix(models.TextChoices):
        A = "a", "a"
        APPS = "apps", "apps"
        COMMUNITY = "community", "community"
        TOOLS = "tools", "tools"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted for approval"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"

    class Reading(models.TextChoices):
        EXTENDED = "extended", "Express 4: nested, by qs"
        SIMPLE = "simple", "Express 5: flat, by node's querystring"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(
        Client,
        models.PROTECT,
        verbose_name="client",
        related_name="shopline_accounts",
        help_text="Shoppers of this store see orders of this client's Shopify accounts, and of no other's.",
    )
    merchant_id = models.CharField(
        "merchant id", max_length=100, unique=True, validators=[WORD], help_text="SHOPLINE's id of the store."
    )
    shop_name = models.CharField("Name of the shop", max_length=200, help_text="As shoppers read it on the pages.")
    brand_colour = models.CharField(
        "colour of the shop", max_length=7, default="#1f6feb", validators=[COLOUR], help_text="Such as #1f6feb."
    )
    time_zone = models.CharField(
        "time zone of the shop",
        max_length=50,
        default="UTC",
        validators=[known_zone],
        help_text="Dates on the pages are of this zone. Such as Asia/Taipei.",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)

    proxy_enabled = models.BooleanField(
        "enabled", default=False, help_text="Off: shoppers get “not found”; the development path works for preview."
    )
    plays_storefront = models.BooleanField(
        "Hemi plays the storefront side",
        default=False,
        help_text="Hemi itself signs and forwards the shop's requests, and makes the secret. Off: SHOPLINE does.",
    )
    passes_posts = models.BooleanField(
        "forms pass the proxy",
        default=True,
        help_text="Off where only page views (GET) reach Hemi: forms are then sent to Hemi directly, once each.",
    )
    app_proxy_secret = EncryptedTextField(
        "App Proxy Secret", blank=True, default="", help_text="From SHOPLINE's Dev Center, App proxy."
    )
    previous_app_proxy_secret = EncryptedTextField(blank=True, default="", editable=False)
    previous_secret_until = models.DateTimeField("old secret accepted until", null=True, blank=True, editable=False)
    read_as = models.CharField(
        "queries were signed as read by",
        max_length=10,
        choices=Reading,
        blank=True,
        default="",
        editable=False,
        help_text="Blank until a query came that the two read differently.",
    )
    # Never accepted: the signature bench tells by it who still signs with the secret before the current one.
    retired_app_proxy_secret = EncryptedTextField(blank=True, default="", editable=False)
    secret_changed_at = models.DateTimeField("secret since", null=True, blank=True, editable=False)

    subpath_prefix = models.CharField("subpath prefix", max_length=20, choices=Prefix, default=Prefix.APPS)
    app_id = models.CharField(
        "app id",
        max_length=100,
        blank=True,
        default="",
        validators=[WORD],
        help_text="SHOPLINE's id of the app. The development version's subpath is this and _TEST.",
    )
    seo_slug = models.CharField(
        "SEO slug",
        max_length=100,
        blank=True,
        default="",
        validators=[WORD],
        help_text="The subpath of the release version. Blank: the app id.",
    )
    proxy_url = AddressField(
        "Proxy URL", max_length=500, blank=True, default="", help_text="Where requests go. Blank: Hemi's own pages."
    )
    state = models.CharField("state", max_length=10, choices=State, default=State.DRAFT, editable=False)
    state_reason = models.CharField("reason", max_length=500, blank=True, default="", editable=False)
    # Prefix, subpath and Proxy URL as they were submitted: an approval is of exactly these.
    submitted_settings = models.JSONField(default=list, blank=True, editable=False)
    submitted_at = models.DateTimeField("submitted", null=True, blank=True, editable=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    decided_at = models.DateTimeField("decided", null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    live_prefix = models.CharField("prefix in force", max_length=20, blank=True, default="", editable=False)
    live_subpath = models.CharField("subpath in force", max_length=100, blank=True, default="", editable=False)
    live_proxy_url = AddressField("Proxy URL in force", max_length=500, blank=True, default="", editable=False)

    class Meta:
        verbose_name = "Account SHOPLINE"
        verbose_name_plural = "Accounts SHOPLINE"
        ordering = ["shop_name"]
        permissions = [
            ("revoke_accountshopline", "Can make and revoke App Proxy secrets"),
            ("approve_accountshopline", "Can approve and reject App Proxy settings"),
            ("preview_accountshopline", "Can make preview links of storefront pages"),
        ]

    def __str__(self) -> str:
        return f"{self.shop_name} ({self.merchant_id})"

    @property
    def log_ids(self) -> dict[str, object]:
        """What a log line says of the account."""
        return {"shopline_account": self.pk, "merchant_id": self.merchant_id}

    @property
    def secrets(self) -> list[str]:
        """The secrets that a signature may have been made with, the current one first."""
        is_kept = self.previous_secret_until is not None and self.previous_secret_until > timezone.now()
        return [
            secret for secret in (self.app_proxy_secret, self.previous_app_proxy_secret if is_kept else "") if secret
        ]

    @property
    def is_live(self) -> bool:
        """Whether shoppers are answered on the release path: switched on, and settings were approved once."""
        return bool(self.proxy_enabled and self.live_subpath)

    @property
    def release_subpath(self) -> str:
        """The subpath that the settings ask for; in force is `live_subpath`."""
        return self.seo_slug or self.app_id

    @property
    def development_subpath(self) -> str:
        return f"{self.app_id}_TEST" if self.app_id else ""

    @property
    def hemi_proxy_url(self) -> str:
        """Hemi's own address as a Proxy URL."""
        return f"{settings.HEMI_BASE_URL}/shopline/proxy"

    @property
    def waiting(self) -> tuple[str, str, str]:
        """Prefix, subpath and Proxy URL that the settings ask for."""
        return self.subpath_prefix, self.release_subpath, self.proxy_url or self.hemi_proxy_url

    @property
    def in_force(self) -> tuple[str, str, str]:
        """Prefix, subpath and Proxy URL that shoppers reach; all blank before the first approval."""
        return self.live_prefix, self.live_subpath, self.live_proxy_url


class UsedSignature(models.Model):
    """A signature of a request that changed something: it is not taken a second time while its timestamp is fresh."""

    account = models.ForeignKey(AccountShopline, models.CASCADE, related_name="+")
    signature = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "signature"], name="signature_used_once")]
