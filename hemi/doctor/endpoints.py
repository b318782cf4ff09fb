"""Each supplier's server: by its last test, or by a new one."""

from collections.abc import Iterator
from datetime import timedelta
from time import monotonic, sleep

from django.utils import timezone

from hemi.doctor.findings import Finding, problem, warning, well
from suppliers import preflight
from suppliers.models import Endpoint, EndpointCheck
from suppliers.services import endpoints as services

OLD = timedelta(days=2)
MOST_SECONDS = 60
_TEST = "Open the endpoint and press “Test connection”."


def look(*, connect: bool) -> Iterator[Finding]:
    """Look at the active endpoints; with `connect` each is tested as by the button."""
    count = 0
    for endpoint in Endpoint.objects.filter(is_active=True):
        found = list(_of(endpoint, connect=connect))
        count += not found
        yield from found
    yield well("endpoints", f"{count} active, with nothing to mend")


def _of(endpoint: Endpoint, *, connect: bool) -> Iterator[Finding]:
    name = f"endpoint {endpoint.name}"
    if endpoint.needs_identity:
        yield problem(name, "nobody has confirmed who the server is", f"{_TEST} Then “Confirm identity”.")
        return
    if endpoint.closed_at:
        yield problem(name, "a restore closed it", "Fetch the orders since the backup, then: hemi open_outboxes")
        return
    if endpoint.stopped_at:
        yield problem(name, f"it is stopped. {endpoint.stop_reason}", "Mend it, test the connection, press “Restart”.")
        return
    if endpoint.opened_at:
        said = f"it is left alone since {endpoint.opened_at:%Y-%m-%d %H:%M} UTC. {endpoint.last_error}"
        yield problem(name, said, f"{_TEST} If it is their side, tell the supplier.")
    if endpoint.is_exposed:
        yield warning(name, "password and orders go in plain text", "Ask the supplier for SFTP or FTPS.")
    yield from _tested(endpoint, name, _new_test(endpoint) if connect else _last_test(endpoint))


def _last_test(endpoint: Endpoint) -> EndpointCheck | None:
    return endpoint.checks.exclude(status=EndpointCheck.Status.WAITING).first()


def _new_test(endpoint: Endpoint) -> EndpointCheck:
    check = services.test(endpoint=endpoint, by=None)
    until = monotonic() + MOST_SECONDS
    while not preflight.run(check.pk) and monotonic() < until:  # a worker is in the lane, or took the test
        check.refresh_from_db()
        if check.status != EndpointCheck.Status.WAITING:
            break
        sleep(1)
    check.refresh_from_db()
    return check


def _tested(endpoint: Endpoint, name: str, check: EndpointCheck | None) -> Iterator[Finding]:
    if check is None:
        yield warning(name, "it was never tested", _TEST)
    elif check.status == EndpointCheck.Status.FAILED:
        faults = [f"{step['name']}: {step['text']}" for step in check.steps if step["outcome"] == "failed"]
        yield problem(name, f"its test failed. {' '.join(faults)}", f"Mend what it says. {_TEST}")
    elif check.status == EndpointCheck.Status.WAITING:
        yield warning(name, "it is at work; a test waits for its turn", "Look at the endpoint in a minute.")
    elif check.ended_at and check.ended_at < timezone.now() - OLD:
        yield warning(name, f"its last test was on {check.ended_at:%Y-%m-%d}", f"See that beat is at work. {_TEST}")
