"""Pages of the admin that show work while it goes on."""

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString


class Watched:
    """Mixin for a ModelAdmin, before it in the bases: the page reloads by itself while the work goes on.

    By the page's head and not by a script, so that it works wherever the admin does.
    """

    change_form_template = "admin/watched_form.html"

    def is_under_way(self, obj: Any) -> bool:
        """Return whether the page is to be looked at again in a moment."""
        raise NotImplementedError

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict | None = None
    ) -> Any:
        obj = self.get_object(request, object_id) if object_id else None
        context = {**(extra_context or {}), "is_under_way": obj is not None and self.is_under_way(obj)}
        return super().changeform_view(request, object_id, form_url, context)


def bar(done: int, total: int | None, text: str) -> SafeString:
    """Show how far the work is, as a bar with its `text`; a moving bar where the total is not known."""
    value = format_html(' value="{}" max="{}"', min(done, total), total) if total else ""
    return format_html('<progress style="width: 100%; max-width: 24rem"{}></progress><div>{}</div>', value, text)
