"""Integrations with their credentials."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from hemi.lib.deletion import KeptWhileUsed
from integrations.admin.credentials import CredentialsInline, OverlapButton
from integrations.admin.signature_bench import SignatureBench
from integrations.models import InstallLink, Integration, IntegrationCredentials
from integrations.services import credentials


class IntegrationForm(forms.ModelForm):
    """Addresses are https, but for the sandbox."""

    class Meta:
        model = Integration
        fields = "__all__"

    def clean_redirect_uri(self) -> str:
        return self._https("redirect_uri")

    def clean_install_url(self) -> str:
        return self._https("install_url")

    def clean_landing_url(self) -> str:
        return self._https("landing_url")

    def clean_api_version(self) -> str:
        version = self.cleaned_data["api_version"].strip()
        year, _, month = version.partition("-")
        if version and not (len(year) == 4 and year.isdigit() and month in ("01", "04", "07", "10")):
            raise forms.ValidationError("Versions look like 2026-10: a year and the first month of a quarter.")
        return version

    def _https(self, name: str) -> str:
        url = self.cleaned_data[name]
        if url and not url.startswith("https://") and not (settings.DEBUG or settings.SANDBOX):
            raise forms.ValidationError("The address must begin with https://.")
        return url


@admin.register(Integration)
class IntegrationAdmin(SignatureBench, OverlapButton, KeptWhileUsed, ModelAdmin):
    """One app at a platform."""

    form = IntegrationForm
    list_display = ["name", "platform", "app_type", "is_active", "created_at"]
    list_filter = [("platform", ChoicesDropdownFilter), ("app_type", ChoicesDropdownFilter), "is_active"]
    list_filter_submit = True
    search_fields = ["name"]
    compressed_fields = False
    readonly_fields = ["app_url", "callback", "webhook_address"]
    inlines = [CredentialsInline]
    fieldsets = [
        (None, {"fields": ["name", ("platform", "app_type"), "has_expiring_tokens", "is_active"]}),
        ("Addresses", {"fields": ["redirect_uri", "install_url", "landing_url", "api_version"]}),
        ("For the app's settings at Shopify", {"fields": ["app_url", "callback", "webhook_address"]}),
    ]

    @staticmethod
    def why_kept(integration: Integration) -> str:
        if integration.accounts.exists():
            return "Accounts use it. Give those another app first, or make it inactive."
        if InstallLink.objects.filter(integration=integration).exists():
            return "Install links were made with it. Make it inactive instead."
        return ""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        # Its credentials go with it: they are part of it, not something that it is kept for.
        found, counts, missing, _ = super().get_deleted_objects(objs, request)
        return found, counts, missing, []

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        credentials.try_again(integration=form.instance)

    def delete_model(self, request: HttpRequest, obj: Integration) -> None:
        IntegrationCredentials.objects.filter(integration=obj).delete()
        super().delete_model(request, obj)

    @display(description="App URL")
    def app_url(self, integration: Integration) -> str:
        if not settings.HEMI_BASE_URL:
            return "Set HEMI_BASE_URL."
        return f"{settings.HEMI_BASE_URL}{reverse('shopify-install', args=[integration.uuid])}"

    @display(description="allowed redirect URL")
    def callback(self, integration: Integration) -> str:
        return integration.callback_url if integration.redirect_uri or settings.HEMI_BASE_URL else "Set HEMI_BASE_URL."

    @display(description="address for app-wide webhooks")
    def webhook_address(self, integration: Integration) -> str:
        if not settings.HEMI_BASE_URL:
            return "Set HEMI_BASE_URL."
        return f"{settings.HEMI_BASE_URL}/shopify/webhooks/app/{integration.uuid}/"
