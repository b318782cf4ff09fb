"""What a browser may do on Hemi's pages: load from here, send forms to here, stand in no frame."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Unfold's scripts (Alpine) evaluate what stands in attributes, and its pages set styles; no script stands in a page.
ADMIN = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
FEATURES = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class PagePolicy:
    """Middleware: a page that says nothing of itself gets the admin's content security policy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", ADMIN)
        response.headers.setdefault("Permissions-Policy", FEATURES)
        return response
