"""The short way for requests of machines: no session, no CSRF token, no messages, only the view. What any request logs
bears the id that the proxy in front gave it."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound
from django.urls import resolve

from hemi.lib import logs

_REQUEST_ID = re.compile(r"[\w-]{8,64}", re.ASCII)


class MachineLane:
    """Outermost middleware: answer paths below settings.MACHINE_PATHS without the middleware that people need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        said = request.headers.get("X-Request-ID", "")
        with logs.following(request_id=said if _REQUEST_ID.fullmatch(said) else None):
            return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(settings.MACHINE_PATHS):
            return self.get_response(request)
        response = self._view(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if isinstance(response, HttpResponse):  # one that streams has no length yet
            response.headers.setdefault("Content-Length", str(len(response.content)))  # or gunicorn answers in chunks
        return response

    @staticmethod
    def _view(request: HttpRequest) -> HttpResponse:
        try:
            request.resolver_match = match = resolve(request.path_info)
            return match.func(request, *match.args, **match.kwargs)
        except Http404:
            return HttpResponseNotFound("There is nothing here.\n", content_type="text/plain")
