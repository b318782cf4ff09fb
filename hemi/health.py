"""What probes ask: is the process alive, and can it do its work?"""

from celery import current_app
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from hemi.metrics import waiting

WAIT_SECONDS = 2


def alive(request: HttpRequest) -> HttpResponse:
    """Answer as long as this process can answer at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 while database and broker can be reached, 503 and which of them cannot otherwise.

    How long the oldest webhook has waited is said, too: whoever asks may judge that, for it takes a worker, not this.
    """
    parts: dict[str, object] = {"database": database(), "broker": broker()}
    is_ready = set(parts.values()) == {"ok"}
    parts["oldest_webhook_seconds"] = _oldest_webhook() if parts["database"] == "ok" else None
    return JsonResponse(parts, status=200 if is_ready else 503)


def _oldest_webhook() -> int | None:
    try:
        return int(waiting.look(waiting.WEBHOOKS)[1])
    except DatabaseError:  # not migrated yet
        return None


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
    except (KombuError, RedisError, OSError) as error:
        return type(error).__name__
    return "ok"
