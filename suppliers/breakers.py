"""What staff are told of an endpoint's circuit breaker: that it opened, that it closed, that a person must act."""

from integrations import alerts
from suppliers.models import Endpoint

UNREACHABLE, STOPPED, CHECK = "endpoint_unreachable", "endpoint_stopped", "endpoint_check"


def opened(endpoint: Endpoint, message: str) -> None:
    """Tell that nothing goes to the endpoint for a while."""
    alerts.raise_alert(
        UNREACHABLE,
        endpoint.pk,
        f"Files do not reach {endpoint}",
        f"Several tries in a row failed at {endpoint}, so Hemi leaves it alone for some minutes at a time and then "
        f"tries one file. All others wait; nothing is lost. You are told when it works again.\n\n{message}",
        over=f"Files reach {endpoint} again. What waited is on its way; nothing needs to be done.",
    )


def stopped(endpoint: Endpoint, message: str) -> None:
    """Tell that the endpoint waits for a person."""
    alerts.raise_alert(
        STOPPED,
        endpoint.pk,
        f"Deliveries to {endpoint} are stopped",
        f"Hemi stopped after one try, because repeating it could lock the account.\n\n{message}\n\n"
        "Mend the endpoint, test the connection and restart it. Its files wait until then.",
        over=f"{endpoint} works again. What waited is on its way.",
    )


def forget_unused() -> None:
    """Take back what was told of endpoints that are switched off or deleted: they never work again by themselves."""
    for kind in (UNREACHABLE, STOPPED, CHECK):
        about = set(alerts.open_about(kind))
        used = Endpoint.objects.filter(is_active=True, pk__in=about).values_list("pk", flat=True)
        for key in about - {str(pk) for pk in used}:
            alerts.drop_alert(kind, key)


def closed(endpoint: Endpoint) -> None:
    """Take back what was told."""
    for kind in (UNREACHABLE, STOPPED):
        alerts.clear_alert(kind, endpoint.pk)
