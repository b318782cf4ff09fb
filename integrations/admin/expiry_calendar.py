"""The page that shows what ends when, for all accounts."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from hemi.lib.links import link_to
from integrations import expiry_calendar


class ExpiryCalendar:
    """Mixin for the accounts' admin: one more page, for whoever may see accounts."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.expiry_calendar)
        return [path("expiry-calendar/", page, name="integrations_expiry_calendar"), *super().get_urls()]

    def expiry_calendar(self, request: HttpRequest) -> HttpResponse:
        """Show what a person must see to, and what Hemi renews."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        words = {
            **self.admin_site.each_context(request),
            "title": "Expiry calendar",
            "ends": [(end, link_to(end.of)) for end in expiry_calendar.ends()],
            "renewed": [(row, link_to(row.account)) for row in expiry_calendar.renewed()],
            "unready": expiry_calendar.unready().count(),
            "most": expiry_calendar.MOST,
        }
        return TemplateResponse(request, "admin/expiry_calendar.html", words)
