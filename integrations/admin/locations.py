"""Locations as read from the stores."""

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter

from hemi.lib.readonly import ReadOnly
from integrations.models import Location


@admin.register(Location)
class LocationAdmin(ReadOnly, ModelAdmin):
    """Read from the store by Refresh Locations on its account."""

    list_display = ["name", "account", "address", "is_active", "seen_at"]
    list_filter = [("account", RelatedDropdownFilter), "is_active"]
    list_filter_submit = True
    list_select_related = ["account"]
    search_fields = ["name"]
    fields = ["account", "name", "address", "is_active", "shopify_id", "seen_at"]
