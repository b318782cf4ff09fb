"""A store that is connected, and its locations."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from hemi.lib.fields import EncryptedTextField
from hemi.lib.recorded import Recorded
from integrations import scopes
from integrations.models.clients import Client
from integrations.models.integrations import Integration


class AccountShopify(Recorded):
    """One Shopify store. Unique by shop name, never deleted where it has orders; its app can be exchanged."""

    also_recorded = ("paused_at", "pause_reason", "disconnected_at", "disconnect_reason", "is_unclaimed")
    renewed_by_hemi = ("access_token",)

    class ReleaseWhen(models.TextChoices):
        CREATED = "created", "As soon as they are placed"
        PAID = "paid", "When they are paid"

    class Webhooks(models.TextChoices):
        OFF = "off", "Off"
        DUE = "due", "Being subscribed"
        ON = "on", "On"
        FAILED = "failed", "Failed"

    class Problem(models.TextChoices):
        """What the store's API said last, where that needs a person."""

        NONE = "", "None"
        REAUTHORISE = "reauthorise", "The client must authorise again"
        SCOPE = "scope", "An access scope is missing"
        PROTECTED = "protected", "Access to protected customer data is not approved"
        TOKEN_KIND = "token_kind", "Shopify no longer accepts this kind of token"
        NO_TOKEN = "no_token", "Shopify gives Hemi no access token"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(Client, models.PROTECT, null=True, blank=True, verbose_name="client")
    integration = models.ForeignKey(
        Integration, models.PROTECT, null=True, blank=True, verbose_name="Integration App", related_name="accounts"
    )
    shop_name = models.CharField(
        "Name of the shop",
        max_length=100,
        unique=True,
        help_text="“test” for test.myshopify.com; the whole address may be pasted.",
    )
    shopify_shop_id = models.BigIntegerField("Shopify's shop id", null=True, blank=True, editable=False)
    access_scopes = models.TextField(
        "Access Scopes",
        blank=True,
        default=scopes.DEFAULT,
        help_text="What the install link asks for, separated by commas.",
    )
    access_token = EncryptedTextField(
        "Access Token",
        blank=True,
        default="",
        help_text="An access token means authorised. Set by the install, or paste one here (internal apps).",
    )
    token_integration = models.ForeignKey(
        Integration, models.SET_NULL, null=True, related_name="+", editable=False, verbose_name="app of the token"
    )
    token_version = models.PositiveIntegerField(default=0, editable=False)
    refresh_token = EncryptedTextField(blank=True, default="", editable=False)
    token_expires_at = models.DateTimeField("token expires", null=True, blank=True, editable=False)
    refresh_expires_at = models.DateTimeField("refresh token expires", null=True, blank=True, editable=False)
    token_lease = models.CharField(max_length=32, blank=True, default="", editable=False)
    token_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    token_attempts = models.PositiveIntegerField(default=0, editable=False)
    token_next_attempt_at = models.DateTimeField(default=timezone.now, editable=False)
    expiring_asked_at = models.DateTimeField("asked to move to an expiring token", null=True, editable=False)
    problem = models.CharField(
        "problem", max_length=20, choices=Problem, default=Problem.NONE, blank=True, editable=False
    )
    problem_text = models.CharField("what Shopify said", max_length=500, blank=True, default="", editable=False)
    problem_at = models.DateTimeField("problem since", null=True, blank=True, editable=False)
    granted_scopes = models.TextField("granted scopes", blank=True, default="", editable=False)
    authorised_at = models.DateTimeField("authorised", null=True, blank=True, editable=False)
    location = models.ForeignKey(
        "Location",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Location",
        help_text="Where orders are fulfilled from. Blank: every location.",
    )
    orders_source_name = models.TextField(
        "Orders Source Name Filter",
        blank=True,
        default="",
        help_text="Only orders from these sources go out (such as web, pos), separated by commas. Blank: all. "
        "What the filter holds back is listed under Orders and can be released.",
    )
    send_shipping_confirmation = models.BooleanField(
        "Send Shipping Confirmation", default=False, help_text="Shopify mails the shopper when a shipment is reported."
    )
    client_email = models.EmailField(
        "Client Email", blank=True, default="", help_text="The install link is mailed to this address."
    )
    release_when = models.CharField("orders go out", max_length=10, choices=ReleaseWhen, default=ReleaseWhen.PAID)
    orders_from = models.DateTimeField(
        "orders from",
        null=True,
        blank=True,
        help_text="Orders placed before this are stored and never sent. Blank: set by the first authorisation.",
    )
    paused_at = models.DateTimeField("paused", null=True, blank=True, editable=False)
    pause_reason = models.CharField("reason of the pause", max_length=300, blank=True, default="", editable=False)
    created_at = models.DateTimeField("created", auto_now_add=True)
    disconnected_at = models.DateTimeField("disconnected", null=True, blank=True, editable=False)
    disconnect_reason = models.CharField("why", max_length=300, blank=True, default="", editable=False)
    former_names = models.JSONField("former names of the shop", default=list, blank=True, editable=False)
    hinted_name = models.CharField(max_length=100, blank=True, default="", editable=False)
    hinted_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_unclaimed = models.BooleanField("came by itself, no client yet", default=False, editable=False)
    checked_at = models.DateTimeField("last daily check", null=True, blank=True, editable=False)
    next_check_at = models.DateTimeField(default=timezone.now, editable=False)

    reconciled_until = models.DateTimeField("orders compared until", null=True, blank=True, editable=False)
    reconcile_attempts = models.PositiveIntegerField(default=0, editable=False)
    reconcile_next_at = models.DateTimeField(default=timezone.now, editable=False)
    reconcile_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    reconcile_lease = models.CharField(max_length=32, blank=True, default="", editable=False)
    reconcile_error = models.TextField("why orders could not be compared", blank=True, default="", editable=False)

    webhooks = models.CharField("webhooks", max_length=10, choices=Webhooks, default=Webhooks.OFF, editable=False)
    webhooks_error = models.TextField("what went wrong with the webhooks", blank=True, default="", editable=False)
    webhooks_attempts = models.PositiveIntegerField(default=0, editable=False)
    webhooks_next_attempt_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "Account Shopify"
        verbose_name_plural = "Accounts Shopify"
        ordering = ["shop_name"]
        permissions = [
            ("install_accountshopify", "Can make, mail and receive install links"),
            ("export_accountshopify", "Can read a store's locations and collections"),
            ("pause_accountshopify", "Can pause and resume accounts"),
        ]

    def __str__(self) -> str:
        return self.shop_name

    @property
    def log_ids(self) -> dict[str, object]:
        """What a log line says of the account."""
        return {"account": self.pk, "account_name": self.shop_name}

    @property
    def domain(self) -> str:
        return f"{self.shop_name}.myshopify.com"

    @property
    def names(self) -> list[str]:
        """The shop's name, and those that it had before."""
        return [self.shop_name, *self.former_names]

    @property
    def store_url(self) -> str:
        """Where the store's admin and API are."""
        return settings.SHOPIFY_SHOP_URL.format(shop=self.shop_name)

    @property
    def is_authorised(self) -> bool:
        return bool(self.access_token)

    @property
    def source_names(self) -> list[str]:
        """The source names that go out, folded for comparison; empty means all."""
        words = self.orders_source_name.replace("\n", ",").split(",")
        return [word.strip().casefold() for word in words if word.strip()]


class Location(models.Model):
    """A location of a store, as read from Shopify."""

    account = models.ForeignKey(AccountShopify, models.CASCADE, related_name="locations")
    shopify_id = models.BigIntegerField("Shopify's id")
    name = models.CharField("name", max_length=255)
    address = models.CharField("address", max_length=500, blank=True, default="")
    is_active = models.BooleanField("active", default=True)
    seen_at = models.DateTimeField("last seen", default=timezone.now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "shopify_id"], name="location_once_per_account")]

    def __str__(self) -> str:
        return self.name if self.is_active else f"{self.name} (inactive)"
