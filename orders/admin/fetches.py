"""Orders that people asked stores for."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from hemi.lib import badges, watched
from hemi.lib.links import link_to
from hemi.lib.readonly import ReadOnly
from orders.models import OrderFetch


@admin.register(OrderFetch)
class OrderFetchAdmin(watched.Watched, ReadOnly, ModelAdmin):
    """One row a wish; it is made on the account's page."""

    list_display = ["account", "asked", "shown_status", "seen", "new", "changed", "made_by", "created_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("account", RelatedDropdownFilter)]
    list_filter_submit = True
    list_select_related = ["account", "made_by"]
    list_per_page = 50
    compressed_fields = False
    fieldsets = [
        (None, {"fields": [("store", "asked", "shown_status"), "progress", ("new", "changed"), "shown_note"]}),
        ("Times", {"fields": [("made_by", "created_at", "done_at")]}),
    ]
    readonly_fields = ["store", "asked", "shown_status", "progress", "shown_note"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or request.user.has_perm("orders.add_orderfetch")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderFetch]:
        return super().get_queryset(request).select_related("account", "made_by")

    def is_under_way(self, fetch: OrderFetch) -> bool:
        return fetch.status == OrderFetch.Status.WAITING

    @display(description="account")
    def store(self, fetch: OrderFetch) -> SafeString:
        return link_to(fetch.account)

    @display(description="asked for")
    def asked(self, fetch: OrderFetch) -> str:
        if fetch.wanted:
            return f"{len(fetch.wanted):,} missing orders"
        until = f"placed before {fetch.until:%Y-%m-%d %H:%M}" if fetch.until else "until now"
        return f"Placed or changed since {fetch.since:%Y-%m-%d %H:%M}, {until} (UTC)"

    @display(description="state", ordering="status")
    def shown_status(self, fetch: OrderFetch) -> SafeString:
        return badges.state(fetch)

    @display(description="progress")
    def progress(self, fetch: OrderFetch) -> SafeString | str:
        text = f"{fetch.seen:,} orders read"
        if not self.is_under_way(fetch):
            return text
        return watched.bar(fetch.seen, len(fetch.wanted) or None, f"{text} so far; this page renews itself.")

    @display(description="note")
    def shown_note(self, fetch: OrderFetch) -> str:
        return "\n".join(filter(None, [fetch.last_error, fetch.note])) or "–"
