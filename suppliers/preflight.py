"""The runner of endpoint checks: one row a test, worked through in the endpoint's borrowed lane.

A test is told step by step; what it found is kept as the endpoint's profile. A login that is refused is tried once and
stops the endpoint, as one with a file would have.
"""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from hemi.lib import claims, queue
from integrations import alerts, daily
from suppliers import breakers, due
from suppliers.loans import Loan, borrow
from suppliers.models import Endpoint, EndpointCheck
from suppliers.transports.errors import Crowded, IdentityChanged, IdentityRefused, Kind, TransportError
from suppliers.trials import steps
from suppliers.trials.trial import Trial

log = logging.getLogger(__name__)

MOST_TRIES = 5
ROOM_SECONDS = 20  # after which a session of another worker may be gone
KEPT = timedelta(days=90)
AFTER_FAILURE = timedelta(hours=1)
STILL = Q(status=EndpointCheck.Status.WAITING)
_WAITING = EndpointCheck.objects.filter(STILL, endpoint=OuterRef("pk"))
# The hourly look at what failed must not log in again where nobody has said who the server is.
_KNOWN = ~Q(protocol=Endpoint.Protocol.SFTP, host_identity="")


class Lost(Exception):
    """Another run has the test or the endpoint."""


@dataclass
class Check:
    """A claimed row, and the steps that were taken so far."""

    row: EndpointCheck
    loan: Loan
    steps: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, step: dict[str, Any]) -> None:
        """Record a step at once. Raises Lost."""
        self.steps.append(step)
        until = timezone.now() + self.loan.lease
        if not (self.loan.holds() and mine(self.row).update(steps=self.steps, lease_until=until)):
            raise Lost


def run(check_id: int) -> bool:
    """Take the steps of a test, if the endpoint's lane is free; return whether it is over."""
    rows = EndpointCheck.objects.filter(STILL, pk=check_id).select_related("endpoint")
    taken = claims.claim(rows, still=STILL, limit=1, lease=timedelta(minutes=2))
    if not taken:
        return False
    with borrow(taken[0].endpoint_id) as loan:
        is_over = loan is not None and _work(Check(taken[0], loan))
    if loan is None:  # whoever is in the lane kicks this runner when it leaves
        mine(taken[0]).update(claim_token="", lease_until=None, attempts=F("attempts") - 1)
    if is_over and due.has_deliveries(taken[0].endpoint_id):
        queue.kick("suppliers.deliver", taken[0].endpoint_id)
    return is_over


def sweep() -> int:
    """Ask for the daily tests whose time has come, and kick every test that waits; return how many."""
    now = timezone.now()
    ready = Endpoint.objects.filter(due.OPEN & claims.due() & _KNOWN, ~Exists(_WAITING), opened_at=None)
    for endpoint in ready.filter(next_check_at__lte=now).order_by("next_check_at")[:10]:
        one = ready.filter(pk=endpoint.pk, next_check_at=endpoint.next_check_at)
        if one.update(next_check_at=daily.next_check(endpoint.pk, now)):
            EndpointCheck.objects.create(endpoint=endpoint)
    waiting = list(EndpointCheck.objects.filter(STILL & claims.due()).values_list("pk", flat=True))
    for check_id in waiting:
        queue.kick("suppliers.check_endpoint", check_id)
    return len(waiting)


def mine(row: EndpointCheck) -> QuerySet[EndpointCheck]:
    """Return the row, as long as this claim has it."""
    return EndpointCheck.objects.filter(pk=row.pk, claim_token=row.claim_token)


def _work(check: Check) -> bool:
    row, endpoint = check.row, check.loan.endpoint
    can_delete = endpoint.profile.get("can_delete") is not False
    may_write = can_delete or row.made_by_id is not None
    trial = Trial(endpoint, row.pk, may_write=may_write, is_resumed=row.attempts > 1)
    try:
        has_passed = steps.run(trial, check.tell)
    except Lost:
        return False
    except Crowded as error:
        return _wait_for_room(check, error)
    except Exception as error:  # what Hemi itself cannot do must not be tried for ever
        log.exception("endpoint_check.broken", extra={"endpoint_id": endpoint.pk})
        check.steps.append(_fault(f"Hemi failed: {type(error).__name__}."))
        has_passed = False
    _conclude(check, trial, has_passed)
    return True


def _wait_for_room(check: Check, error: TransportError) -> bool:
    """Sessions of other workers may be open for a minute more; the server counts them."""
    if check.row.attempts < MOST_TRIES:
        next_at = timezone.now() + timedelta(seconds=ROOM_SECONDS)
        mine(check.row).update(claim_token="", lease_until=None, next_attempt_at=next_at, last_error=error.message)
        return False
    check.steps.append(_fault(error.message))
    _conclude(check, Trial(check.loan.endpoint, check.row.pk, refusal=error), has_passed=False)
    return True


def _fault(text: str) -> dict[str, Any]:
    return {"name": "Log in", "outcome": "failed", "text": text, "seconds": 0}


def _conclude(check: Check, trial: Trial, has_passed: bool) -> None:
    now, status = timezone.now(), EndpointCheck.Status
    changes = {"steps": check.steps, "status": status.PASSED if has_passed else status.FAILED, "ended_at": now}
    if not mine(check.row).update(**changes, claim_token="", lease_until=None):
        return
    endpoint = check.loan.endpoint
    found = {**_known(check, trial), **_fate(trial.refusal)}
    if not has_passed:
        found["next_check_at"] = min(now + AFTER_FAILURE, daily.next_check(endpoint.pk, now))
    check.loan.record(**found)
    log.info("endpoint_check.ended", extra={"endpoint_id": endpoint.pk, "has_passed": has_passed})
    _tell_staff(check, trial, has_passed)
    EndpointCheck.objects.filter(endpoint=endpoint, created_at__lt=now - KEPT).delete()


def _known(check: Check, trial: Trial) -> dict[str, Any]:
    if trial.refusal:
        return {}
    endpoint, now = check.loan.endpoint, timezone.now()
    found: dict[str, Any] = {"offered_identity": ""}
    if trial.learned:
        found |= {"profile": {**endpoint.profile, **trial.learned}, "profiled_at": now}
    # It was left alone because it could not be reached: one file may go first now.
    return {**found, "next_attempt_at": now} if endpoint.opened_at else found


def _fate(refusal: TransportError | None) -> dict[str, Any]:
    """Return the columns that a refused session changes."""
    shown = {"offered_identity": refusal.identity} if isinstance(refusal, IdentityRefused) else {}
    if refusal is None or not _stops(refusal):
        return shown
    return {**shown, "stopped_at": timezone.now(), "stop_reason": refusal.message, "last_error": refusal.message}


def _stops(refusal: TransportError) -> bool:
    return isinstance(refusal, IdentityChanged) or (refusal.kind == Kind.ENDPOINT and refusal.step == "login")


def _tell_staff(check: Check, trial: Trial, has_passed: bool) -> None:
    endpoint = check.loan.endpoint
    if has_passed:
        alerts.clear_alert(breakers.CHECK, endpoint.pk)
    elif trial.refusal and _stops(trial.refusal):
        breakers.stopped(endpoint, trial.refusal.message)
    elif check.row.made_by_id is None:
        wrong = "\n".join(f"{step['name']}: {step['text']}" for step in check.steps if step["outcome"] == "failed")
        alerts.raise_alert(
            breakers.CHECK,
            endpoint.pk,
            f"The daily test of {endpoint} failed",
            f"Hemi tests each endpoint once a day, and this one again every hour.\n\n{wrong}\n\n"
            "Open the endpoint and press Test connection to see every step.",
            over=f"The test of {endpoint} passed again. Nothing needs to be done.",
        )
