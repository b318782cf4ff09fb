"""What happens at one supplier's server while its orders arrive, and how it is mended."""

import time
from collections.abc import Callable

from django.utils import timezone

from hemi.drill import rows
from hemi.drill.stage import Case, Stage
from suppliers.models import Delivery, Endpoint
from suppliers.services import deliveries, endpoints

IDLE_SECONDS = 3.5  # a kept session is asked whether it lives
SLOW_SECONDS = 3
AWAY_SECONDS = 4


def send(stage: Stage, case: Case) -> None:
    """Only send orders: the fault strikes by itself."""
    stage.post(case)


def slow_fault(stage: Stage, case: Case) -> None:
    """Send orders, and wait until a look for replies has met the fault, too."""
    stage.post(case)
    stage.wait_until_met([case])


def later_again(stage: Stage, case: Case) -> None:
    """Send orders, leave the session idle, send more over it."""
    stage.post(case)
    stage.wait_until_settled([case])
    time.sleep(IDLE_SECONDS)
    stage.post(case)


def other_settings(stage: Stage, case: Case) -> None:
    """Send orders, change the endpoint so that its kept session is closed, send more."""
    stage.post(case)
    stage.wait_until_settled([case])
    Endpoint.objects.filter(pk=case.supplier.endpoint_id).update(data_timeout=rows.DATA_SECONDS + 1)
    stage.post(case)


def wrong_password(stage: Stage, case: Case) -> None:
    """Change the password at the server; after one login the endpoint must stand still until a person mends it."""
    case.act("password", password="another-password")  # noqa: S106
    stage.post(case)
    endpoint = Endpoint.objects.filter(pk=case.supplier.endpoint_id)
    stage.wait(lambda: endpoint.exclude(stopped_at=None).exists(), 30)
    stage.wait(lambda: sum(rows.deliveries([case.supplier])[case.supplier.pk].values()) == len(case.ids), 30)
    time.sleep(6)  # longer than a sweep
    failed = case.yard.seen(case.name)["failed_logins"]
    if failed != 1:
        case.problems.append(f"{failed} logins with the wrong password instead of one")
    endpoint.update(password="another-password")  # noqa: S106
    endpoints.restart(endpoint=endpoint.get(), by=None)


def slow(stage: Stage, case: Case) -> None:
    """Let each reply wait, but not for longer than the endpoint allows."""
    stage.post(case)
    stage.wait(lambda: any(case.met()), 30)
    time.sleep(SLOW_SECONDS)
    case.act("release")


def away(stage: Stage, case: Case) -> None:
    """Kill the server in the middle of an upload, or of many, and start it again."""
    stage.post(case)
    if case.point.faults:
        stage.wait_until_met([case])
    case.act("stop")
    time.sleep(AWAY_SECONDS)
    stage.post(case, 2)
    case.act("clear") if case.point.faults else None
    case.act("start")


def read_only(stage: Stage, case: Case) -> None:
    """Take the right to write away, and give it back once something has failed."""
    case.act("chmod", mode="555")
    stage.post(case)
    stage.wait(lambda: _has_failed(case), 40)
    case.act("chmod", mode="755")


def full(stage: Stage, case: Case) -> None:
    """Fill the small disk that the folder lies on; enlarge it once something has failed."""
    stage.post(case)
    stage.wait(lambda: _has_failed(case), 40)
    case.act("remount", options="size=4m")


def settle(stage: Stage, case: Case) -> None:
    """Wait for the uncertain file, ask the supplier, and settle it as a person does."""
    stage.post(case)
    row = Delivery.objects.filter(supplier_order__supplier=case.supplier, status=Delivery.Status.UNCERTAIN)
    if not stage.wait(row.exists, 60):
        return
    case.was_uncertain = True
    for delivery in row:
        names = [file["name"] for file in case.yard.seen(case.name)["swept"]]
        was_sent = delivery.final_name in names
        deliveries.settle_uncertain(delivery=delivery, was_sent=was_sent, reason="The supplier was asked.", by=None)


def _has_failed(case: Case) -> bool:
    waiting = Delivery.objects.filter(supplier_order__supplier=case.supplier).exclude(last_error="")
    return (
        waiting.exists()
        or Endpoint.objects.filter(pk=case.supplier.endpoint_id, next_attempt_at__gt=timezone.now()).exists()
    )


TALES: dict[str, Callable[[Stage, Case], None]] = {
    "": send,
    "slow_fault": slow_fault,
    "later_again": later_again,
    "other_settings": other_settings,
    "wrong_password": wrong_password,
    "slow": slow,
    "away": away,
    "read_only": read_only,
    "full": full,
    "settle": settle,
}
