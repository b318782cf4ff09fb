"""What probes ask: is the process alive, and can it do its work?"""

from celery import current_app
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import KombuError

WAIT_SECONDS = 2


def alive(request: HttpRequest) -> HttpResponse:
    """Answer as long as this process can answer at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 while database and broker can be reached, 503 and which of them cannot otherwise."""
    parts = {"database": database(), "broker": broker()}
    return JsonResponse(parts, status=200 if set(parts.values()) == {"ok"} else 503)


def database() -> str:
    """Return "ok", or in a word why the database does not answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return type(error).__name__
    return "ok"


def broker() -> str:
    """Return "ok", or in a word why the broker does not answer."""
    # Declaring a queue that is there changes nothing and needs an answer from any kind of broker.
    try:
        with current_app.connection_for_write(connect_timeout=WAIT_SECONDS) as link:
            link.ensure_connection(max_retries=1, timeout=WAIT_SECONDS)
            link.default_channel.queue_declare("work")
    except (KombuError, OSError) as error:
        return type(error).__name__
    return "ok"
