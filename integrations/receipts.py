"""When a topic of a store came last, kept beside its subscription, so that a page can show it without a search."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from integrations.models import WebhookEvent, WebhookSubscription

_EXACT_TO = timedelta(minutes=1)  # a busy store does not write this for each webhook


def topic_name(topic: str) -> str:
    """Return `orders/create` as the schema writes it, `ORDERS_CREATE`."""
    return topic.upper().replace("/", "_")


def note(events: Iterable[WebhookEvent]) -> None:
    """Note when these topics came."""
    newest: dict[tuple[int, str], datetime] = {}
    for event in events:
        key = event.account_id, topic_name(event.topic)
        newest[key] = max(event.received_at, newest.get(key, event.received_at))
    accounts, topics = {account for account, _ in newest}, {topic for _, topic in newest}
    for row in WebhookSubscription.objects.filter(account__in=accounts, topic__in=topics):
        at = newest.get((row.account_id, row.topic))
        if at and (row.received_at is None or row.received_at < at - _EXACT_TO):
            WebhookSubscription.objects.filter(pk=row.pk).update(received_at=at)
