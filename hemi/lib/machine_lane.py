"""The short way for requests of machines: no session, no CSRF token, no messages, only the view."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve


class MachineLane:
    """Outermost middleware: answer paths below settings.MACHINE_PATHS without the middleware that people need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(settings.MACHINE_PATHS):
            return self.get_response(request)
        match = resolve(request.path_info)
        request.resolver_match = match
        response = match.func(request, *match.args, **match.kwargs)
        if isinstance(response, HttpResponse):  # one that streams has no length yet
            response.headers.setdefault("Content-Length", str(len(response.content)))  # or gunicorn answers in chunks
        return response
