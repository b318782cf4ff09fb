"""Nobody passes into the admin without the second factor that is set up, or that is required."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from hemi import second_factor

# What a person may reach before: the way out, and the page that is asked for.
_OPEN = {"admin:login", "admin:logout"}
CHECK, SETUP = "admin:second_factor", "admin:second_factor_setup"


class SecondFactorGate:
    """Middleware, after django-otp's. It stands before every page of the admin, also those that come later."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or "admin" not in match.namespaces or match.view_name in _OPEN:
            return None
        wanted = missing(request)
        if not wanted or match.view_name == wanted:
            return None
        goes_on = request.method == "GET" and match.view_name not in (CHECK, SETUP)
        url = reverse(wanted) + (f"?{urlencode({'next': request.get_full_path()})}" if goes_on else "")
        if request.headers.get("HX-Request"):  # a dialog: the whole page goes there
            return HttpResponse(headers={"HX-Redirect": reverse(wanted)})
        return HttpResponseRedirect(url)


def missing(request: HttpRequest) -> str:
    """Return the page that the person must see first; "" if none."""
    user: Any = request.user
    if not user.is_authenticated or user.is_verified():
        return ""
    if second_factor.is_set_up(user):
        return CHECK
    return SETUP if settings.REQUIRE_SECOND_FACTOR and user.is_staff else ""
