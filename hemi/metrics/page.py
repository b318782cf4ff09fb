"""/metrics: for Prometheus on this machine, or for whoever has the token; closed to everybody else."""

import logging
import secrets

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from hemi.lib import visitors
from hemi.metrics import families

log = logging.getLogger(__name__)
# A proxy adds one of these, and whoever comes through it cannot take it off.
_THROUGH_A_PROXY = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


class _All(Collector):
    def collect(self) -> list[Metric]:
        return [*families.flow(), *families.waits(), *families.parts()]


def show(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus' text format: the same from each web process, as all of it comes from the database."""
    if not may_see(request):
        return _closed()
    registry = CollectorRegistry()
    registry.register(_All())
    try:
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError as error:
        log.error("metrics.not_read", extra={"error": type(error).__name__})
        return HttpResponse(status=503)


def may_see(request: HttpRequest) -> bool:
    """Tell whether the request has the token; or, where none is set, whether it comes from this machine itself.

    What a visitor writes into X-Forwarded-For opens nothing: a request that came through a proxy is not from here.
    """
    if settings.METRICS_TOKEN:
        said = request.headers.get("Authorization", "")
        return secrets.compare_digest(said.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return visitors.is_local(request) and not any(name in request.headers for name in _THROUGH_A_PROXY)


def _closed() -> HttpResponse:
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=404)
    return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
