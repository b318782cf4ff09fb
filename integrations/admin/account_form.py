"""The form of an account."""

from typing import Any

from django import forms
from django.db.models import Q
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from integrations import scopes
from integrations.admin.scope_table import ScopeTable
from integrations.admin.secrets import WriteOnlySecrets, clear_tick
from integrations.models import AccountShopify, Integration, Location
from integrations.shopify import domains


class AccountForm(WriteOnlySecrets):
    """Take whatever people paste as the shop's name; offer active Shopify apps and this store's locations only."""

    pasted: Any = None  # what the store said about the token that was typed
    secret_fields = ("access_token",)
    clear_access_token = clear_tick("access token")

    class Meta:
        model = AccountShopify
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "integration" in self.fields:
            is_offered = Q(is_active=True, platform=Integration.Platform.SHOPIFY) | Q(pk=self.instance.integration_id)
            self.fields["integration"].queryset = Integration.objects.filter(is_offered)
            self.fields["integration"].empty_label = "Choose an app"
        if "access_scopes" in self.fields:
            self.fields["access_scopes"].widget = ScopeTable(self.instance.granted_scopes)
        if "location" in self.fields:
            self.fields["location"].queryset = Location.objects.filter(account_id=self.instance.pk)
            self.fields["location"].empty_label = "Every location"
            # Locations are read from the store, not typed.
            for ability in ("add", "change", "delete", "view"):
                setattr(self.fields["location"].widget, f"can_{ability}_related", False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.pasted and self.pasted.refusal:
            self.add_error("access_token", self.pasted.refusal)
        return cleaned

    def clean_shop_name(self) -> str:
        try:
            return domains.normalise(self.cleaned_data["shop_name"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean_access_scopes(self) -> str:
        try:
            return ",".join(scopes.arrange(scopes.split(self.cleaned_data["access_scopes"])))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class PasteForm(BaseDialogForm):
    """Ask for the whole address that a browser was sent to after consent."""

    address = forms.CharField(
        label="Address",
        max_length=4000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="The whole address with its ?code=…; it is checked exactly as if Hemi had been called, so it must "
        "be less than 90 seconds old. If it is older, let the client open the install link again.",
        error_messages={"required": "Paste the address."},
    )
