"""The web process."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from hemi import canary

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hemi.settings")
BODY_SECONDS = 10  # without a byte: a client that stops in the middle must not keep a thread
_django = get_wsgi_application()
canary.check()


def application(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    """Answer a request, with a limit to how long gunicorn's socket may be silent."""
    if client := environ.get("gunicorn.socket"):
        client.settimeout(BODY_SECONDS)
    return _django(environ, start_response)
