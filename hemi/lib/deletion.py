"""Delete what nothing hangs on, and say in a sentence why the rest stays."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Model, ProtectedError, RestrictedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse


class KeptWhileUsed:
    """Mixin for a ModelAdmin: `why_kept` says why an object cannot be deleted, "" if it can. One at a time only."""

    why_kept: Callable[[Any], str]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it would tell of "protected objects"
        return actions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict | None = None) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is not None and self.has_delete_permission(request, obj) and (reason := type(self).why_kept(obj)):
            return self._kept(request, obj, reason)
        try:
            return super().delete_view(request, object_id, extra_context)
        except (ProtectedError, RestrictedError):  # something came to hang on it a moment ago
            return self._kept(request, obj, "It has just come into use.")

    def _kept(self, request: HttpRequest, obj: Model, reason: str) -> HttpResponse:
        messages.error(request, f"“{obj}” cannot be deleted. {reason}")
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[obj.pk]))
