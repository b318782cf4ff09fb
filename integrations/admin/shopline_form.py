"""The form of a SHOPLINE account."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminPasswordWidget

from hemi.lib import addresses
from integrations.models import AccountShopline
from integrations.services import proxy_secrets


class ShoplineForm(forms.ModelForm):
    """The secret goes in and never comes out, and only the first one: what replaces it is asked for by Revoke."""

    class Meta:
        model = AccountShopline
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "app_proxy_secret" in self.fields:
            field = self.fields["app_proxy_secret"]
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
            field.help_text = (
                "None is stored. Paste it from SHOPLINE's Dev Center, App proxy; it is never shown again. Where Hemi "
                "plays the storefront side leave this blank, save, and press Make secret."
            )
        if client := self.fields.get("client"):
            client.empty_label = "Choose a client"

    def clean_app_proxy_secret(self) -> str:
        typed = str(self.cleaned_data["app_proxy_secret"] or "").strip()
        if typed and (reason := proxy_secrets.why_not_pasted(typed)):
            raise forms.ValidationError(reason)
        return typed

    def clean_proxy_url(self) -> str:
        url = self.cleaned_data["proxy_url"].strip().rstrip("/")
        if url and (reason := _why_not_proxy(url)):
            raise forms.ValidationError(reason)
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("app_proxy_secret") and cleaned.get("plays_storefront"):
            self.add_error("app_proxy_secret", "Hemi makes the secret here: leave this blank, save, press Make secret.")
        slug = cleaned.get("seo_slug")
        if slug and slug == f"{cleaned.get('app_id')}_TEST":
            self.add_error("seo_slug", "This is the development version's subpath. Choose another slug.")
        return cleaned


def _why_not_proxy(url: str) -> str:
    """Return why requests cannot go to this address, in one sentence; blank if they can."""
    parts = urlsplit(url)
    schemes = ("https", "http") if settings.DEBUG or settings.SANDBOX else ("https",)
    if parts.scheme not in schemes:
        return "The address must begin with https://."
    if parts.username is not None or parts.query or parts.fragment:
        return "Only the address itself: without user, password, ? and #."
    if not url.isascii():
        return "Write the host in its ASCII form (xn--…), and the rest percent-encoded."
    own = urlsplit(settings.HEMI_BASE_URL)
    if parts.netloc == own.netloc and parts.path != "/shopline/proxy":
        return "This is Hemi itself. Leave it blank for Hemi's own pages."
    return addresses.why_not(parts.hostname or "")
