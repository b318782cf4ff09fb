"""Install links: read-only, with the address to copy while it is open."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from hemi.lib import badges
from hemi.lib.links import link_to
from hemi.lib.readonly import ReadOnly
from integrations.models import InstallLink
from integrations.services import install_links
from integrations.services.refusals import Refused


@admin.register(InstallLink)
class InstallLinkAdmin(ReadOnly, ModelAdmin):
    """One row an attempt to connect a store."""

    list_display = ["account", "shown_status", "mail_state", "created_at", "expires_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("account", RelatedDropdownFilter)]
    list_filter_submit = True
    list_display_links = ["account"]
    list_select_related = ["account", "integration__credentials", "made_by"]
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False
    compressed_fields = False
    fieldsets = [
        (None, {"fields": ["address", ("store", "integration", "shown_status"), "reason"]}),
        ("Who and when", {"fields": [("made_by", "created_at", "expires_at"), ("used_at", "connected_at")]}),
        (
            "Mail",
            {
                "fields": [
                    ("mail_state", "mailed_to", "mailed_at"),
                    ("reminders", "next_reminder_at", "renewal_asked_at"),
                    "mail_error",
                ]
            },
        ),
        ("Scopes", {"fields": ["scopes", "granted_scopes", "not_granted", "redirect_uri"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstallLink]:
        return super().get_queryset(request).select_related("account", "integration__credentials", "made_by")

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return [*self.list_display, "address"] if self._may_install(request) else self.list_display

    def get_fieldsets(self, request: HttpRequest, obj: InstallLink | None = None) -> list:
        if self._may_install(request):
            return self.fieldsets
        first, *rest = self.fieldsets
        fields = [field for field in first[1]["fields"] if field != "address"]  # type: ignore[index]
        return [(first[0], {"fields": fields}), *rest]

    @display(description="link to copy")
    def address(self, link: InstallLink) -> str:
        if link.status != InstallLink.Status.OPEN:
            return "–"
        if link.is_expired:
            return "It has expired. Generate a new one on the account."
        try:
            url = install_links.url_for_client(link)
        except Refused as refused:
            return str(refused)
        return render_to_string("integrations/copy.html", {"url": url})

    @display(description="state")
    def shown_status(self, link: InstallLink) -> SafeString:
        if link.status == InstallLink.Status.OPEN and link.is_expired:
            return badges.badge("Expired")
        return badges.state(link)

    @display(description="mail")
    def mail_state(self, link: InstallLink) -> SafeString:
        return badges.state(link, "mail")

    @display(description="account")
    def store(self, link: InstallLink) -> SafeString:
        return link_to(link.account)

    @display(description="not granted")
    def not_granted(self, link: InstallLink) -> str:
        return ", ".join(link.missing_scopes) or "–"

    def _may_install(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.install_accountshopify")
