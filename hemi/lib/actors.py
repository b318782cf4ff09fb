"""Who is asking: the person of the request that is being answered, for what is written down about changes."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponse

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class Actors:
    """Middleware, after the one that knows the user: remember whose request this is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)


def current() -> Any:
    """Return the person who asks; None where Hemi or a command acts by itself."""
    user = getattr(_request.get(), "user", None)
    return user if user is not None and user.is_authenticated else None
