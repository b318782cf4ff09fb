"""The tasks of the suppliers app: each calls one runner, and is safe to run twice."""

from celery import shared_task

from suppliers import inbound, outbox, overdue, preflight, rendering, replies, retention, routing, unread


@shared_task(name="suppliers.route")
def route() -> None:
    """Give the lines of orders to suppliers."""
    routing.route()


@shared_task(name="suppliers.render")
def render() -> None:
    """Make the documents that wait."""
    rendering.render()


@shared_task(name="suppliers.deliver")
def deliver(endpoint_id: int) -> None:
    """Bring an endpoint's due files."""
    outbox.deliver(endpoint_id)


@shared_task(name="suppliers.collect_replies")
def collect_replies(endpoint_id: int) -> None:
    """Fetch an endpoint's reply files."""
    inbound.collect(endpoint_id)


@shared_task(name="suppliers.check_endpoint")
def check_endpoint(check_id: int) -> None:
    """Take the steps of an endpoint's test."""
    preflight.run(check_id)


@shared_task(name="suppliers.sweep_checks")
def sweep_checks() -> None:
    """Ask for the daily tests of endpoints, and find those that wait."""
    preflight.sweep()


@shared_task(name="suppliers.sweep_deliveries")
def sweep_deliveries() -> None:
    """Find deliveries that nobody was told of."""
    outbox.sweep()


@shared_task(name="suppliers.sweep_replies")
def sweep_replies() -> None:
    """Find endpoints where it is time to look for replies."""
    inbound.sweep()


@shared_task(name="suppliers.apply_replies")
def apply_replies() -> None:
    """Apply the replies that wait."""
    replies.apply_replies()


@shared_task(name="suppliers.tell_overdue")
def tell_overdue() -> None:
    """Tell staff of replies that did not come in time."""
    overdue.tell()


@shared_task(name="suppliers.tell_unread")
def tell_unread() -> None:
    """Tell staff of replies that wait for a person."""
    unread.tell()


@shared_task(name="suppliers.thin")
def thin() -> None:
    """Take out the attempts, replies and orders that are too old."""
    retention.by_night()
