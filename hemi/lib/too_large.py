"""Values that no database can hold are the fault of whoever made them up, not of the server."""

import logging
from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

log = logging.getLogger(__name__)


class RefusesTooLarge:
    """Middleware: what the database could not take is refused, and logged, for it may be a fault of ours after all.

    Django checks single numbers in forms and addresses, but not those of lists, such as the groups of a person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, (OverflowError, DataError)):
            return None
        view = request.resolver_match.view_name if request.resolver_match else ""
        log.error("request.too_large", extra={"view": view, "error": type(error).__name__})
        return HttpResponseBadRequest("A value is larger than can be stored.", content_type="text/plain")
