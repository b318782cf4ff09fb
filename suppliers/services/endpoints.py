"""What a person may ask of an endpoint."""

import logging
from typing import Any

from django.utils import timezone

from hemi.lib import queue
from orders.services import Refused
from suppliers.models import Endpoint

log = logging.getLogger("suppliers")


def restart(*, endpoint: Endpoint, by: Any) -> Endpoint:
    """Let a stopped endpoint try again, once what stopped it is mended. Raises Refused."""
    stopped = Endpoint.objects.filter(pk=endpoint.pk).exclude(stopped_at=None)
    if not stopped.update(stopped_at=None, stop_reason="", attempts=0, next_attempt_at=timezone.now()):
        raise Refused("The endpoint is not stopped.")
    log.info("endpoint.restarted", extra={"endpoint_id": endpoint.pk, "by": getattr(by, "pk", None)})
    queue.kick("suppliers.deliver", endpoint.pk)
    return Endpoint.objects.get(pk=endpoint.pk)
