"""Linked shoppers: which customer of a SHOPLINE store sees whose orders; linked by themselves or by a file."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from hemi.lib import badges
from hemi.lib.links import link_to
from integrations.models import AccountShopline
from orders import shopper_imports
from orders.models import ShopperLink


class ImportForm(forms.Form):
    """Ask for the store and its file."""

    shopline = forms.ModelChoiceField(
        AccountShopline.objects.select_related("client"),
        label="Account SHOPLINE",
        empty_label="Choose a store",
        widget=UnfoldAdminSelectWidget,
        error_messages={"required": "Say whose customers they are."},
    )
    file = forms.FileField(
        label="CSV file",
        widget=UnfoldAdminFileFieldWidget,
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > shopper_imports.MOST_BYTES:
            raise forms.ValidationError("The file is larger than 2 MB. Split it.")
        return file


@admin.register(ShopperLink)
class ShopperLinkAdmin(ModelAdmin):
    """One row a shopper and a mail address; it is never edited, only removed."""

    list_display = ["customer_id", "shop", "email", "shown_source", "created_at"]
    list_filter = [("shopline", RelatedDropdownFilter), ("source", ChoicesDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["shopline"]
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    search_fields = ["customer_id__iexact", "email__iexact"]
    search_help_text = "A whole customer id or mail address."
    compressed_fields = False
    fields = ["customer_id", "store", "email", ("shopify_store", "shopify_customer_id"), "shown_source", "created_at"]
    actions_list = ["import_shoppers"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_import_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("orders.add_shopperlink")

    @display(description="store", ordering="shopline")
    def shop(self, link: ShopperLink) -> str:
        return link.shopline.shop_name

    @display(description="store")
    def store(self, link: ShopperLink) -> SafeString:
        return link_to(link.shopline)

    @display(description="Account Shopify")
    def shopify_store(self, link: ShopperLink) -> SafeString | str:
        return link_to(link.account) if link.account else "–"

    @display(description="linked by", ordering="source")
    def shown_source(self, link: ShopperLink) -> SafeString:
        return badges.badge(link.get_source_display())

    @action(description="Import shoppers", permissions=["import"])
    def import_shoppers(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file of shoppers, and link them."""
        form = ImportForm(request.POST or None, request.FILES or None, initial={"shopline": request.GET.get("of")})
        faults: list[str] = []
        if request.method == "POST" and form.is_valid():
            shopline = form.cleaned_data["shopline"]
            try:
                links = shopper_imports.read(form.cleaned_data["file"].read(), shopline)
            except shopper_imports.Unreadable as unreadable:
                faults = unreadable.faults
            else:
                done = shopper_imports.store(shopline=shopline, links=links, by=request.user)
                messages.success(request, _told(done))
                listed = reverse("admin:orders_shopperlink_changelist")
                return HttpResponseRedirect(f"{listed}?shopline__id__exact={shopline.pk}")
        context = {
            **self.admin_site.each_context(request),
            "title": "Import shoppers",
            "opts": self.opts,
            "form": form,
            "faults": faults,
        }
        return TemplateResponse(request, "orders/import_shoppers.html", context)


def _told(done: shopper_imports.Imported) -> str:
    more = f" {done.completed} got their Shopify customer." if done.completed else ""
    return f"{done.new} new shoppers are linked; {done.known} were linked already.{more}"
