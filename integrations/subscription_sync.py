"""Bring a store's subscriptions in line with the list of topics: what is missing, what differs, what is too many."""

from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations import topics
from integrations.models import AccountShopify, WebhookSubscription
from integrations.shopify import webhook_subscriptions as wire
from integrations.shopify.client import GraphQL
from integrations.shopify.errors import Kind, ShopifyError


@dataclass(frozen=True)
class Found:
    """What Shopify listed, the best by topic, and the topics that it listed before and does not any more."""

    best: dict[str, wire.Subscription]
    gone: list[str]


@dataclass
class Result:
    """What a comparison came to: what Shopify refused, and what is still missing."""

    refused: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)

    @property
    def are_orders_on(self) -> bool:
        """Whether every topic that brings orders is subscribed."""
        off = (*self.lacking, *self.skipped)
        return not any(topic.startswith("ORDERS_") for topic in off)

    @property
    def error(self) -> str:
        """What keeps orders from coming in, or was refused; blank if all is well."""
        skipped = [f"{topic.lower()}: {why}" for topic, why in self.skipped.items() if topic.startswith("ORDERS_")]
        refused = [f"{topic.lower()}: {why}" for topic, why in self.refused.items()]
        silent = [topic for topic in self.lacking if topic not in self.refused]
        missing = [f"Shopify does not list {', '.join(silent)}."] if silent else []
        return "; ".join([*skipped, *refused, *missing])


def path(account: AccountShopify) -> str:
    """Return the path to which this account's webhooks are posted."""
    return f"/shopify/webhooks/{account.uuid}/"


def address(account: AccountShopify) -> str:
    """Return where the store's webhooks are posted to."""
    return f"{settings.HEMI_BASE_URL}{path(account)}"


def look(client: GraphQL, account: AccountShopify) -> Found:
    """Return what Shopify lists of this account. Raises ShopifyError."""
    best = _best(_ours(client, account), address(account))
    return Found(best, _gone(account, best))


def sync(client: GraphQL, account: AccountShopify, found: Found, granted: tuple[str, ...]) -> Result:
    """Create, mend and delete until Shopify lists what it should, then keep what it lists. Raises ShopifyError."""
    result = Result(skipped=topics.skipped(granted))
    uri = address(account)
    for topic in topics.TOPICS:
        if topic not in result.skipped:
            _follow(client, result, topic, found.best.get(topic), uri)
    _delete_foreign(client, account, found.best)
    # Shopify's list, not our memory of what was sent, says what is subscribed.
    after = {row.topic: row for row in _ours(client, account) if row.uri == uri and row.is_whole}
    result.lacking = [topic for topic in topics.TOPICS if topic not in after and topic not in result.skipped]
    _keep(account, after, result)
    return result


def _ours(client: GraphQL, account: AccountShopify) -> list[wire.Subscription]:
    """Those that post to this account, also at an address that Hemi had before."""
    known = set(account.subscriptions.exclude(shopify_id="").values_list("shopify_id", flat=True))
    return [row for row in wire.listing(client) if row.uri.endswith(path(account)) or row.id in known]


def _best(rows: list[wire.Subscription], uri: str) -> dict[str, wire.Subscription]:
    return {row.topic: row for row in sorted(rows, key=lambda row: (row.uri == uri, row.is_whole))}


def _gone(account: AccountShopify, present: dict[str, wire.Subscription]) -> list[str]:
    listed = account.subscriptions.filter(is_listed=True, topic__in=topics.TOPICS).values_list("topic", flat=True)
    return [topic for topic in listed if topic not in present]


def _follow(client: GraphQL, result: Result, topic: str, row: wire.Subscription | None, uri: str) -> None:
    try:
        if row is None:
            wire.create(client, topic, uri)
        elif row.uri != uri or not row.is_whole:
            wire.mend(client, row, uri)
    except ShopifyError as error:
        if error.kind not in (Kind.PERMANENT, Kind.FORBIDDEN):
            raise
        result.refused[topic] = error.message


def _delete_foreign(client: GraphQL, account: AccountShopify, kept: dict[str, wire.Subscription]) -> None:
    ids = {row.id for topic, row in kept.items() if topic in topics.TOPICS}
    made = {topic for topic in topics.TOPICS if topic not in kept}
    for row in _ours(client, account):
        if row.id not in ids and row.topic not in made:
            wire.delete(client, row)


def _keep(account: AccountShopify, after: dict[str, wire.Subscription], result: Result) -> None:
    now = timezone.now()
    wanted = account.integration.version if account.integration else settings.SHOPIFY_API_VERSION
    with transaction.atomic():
        account.subscriptions.exclude(topic__in=topics.TOPICS).delete()
        for topic in topics.TOPICS:
            row = after.get(topic)
            values = {"uri": address(account), "is_listed": row is not None, "checked_at": now}
            values |= {"shopify_id": row.id if row else "", "api_version": row.version if row else ""}
            note = _note(topic, row, result, wanted)
            defaults = {**values, "note": note[:500]}
            WebhookSubscription.objects.update_or_create(account=account, topic=topic, defaults=defaults)


def _note(topic: str, row: wire.Subscription | None, result: Result, wanted: str) -> str:
    if row is None:
        return result.skipped.get(topic) or result.refused.get(topic) or "Shopify does not list it."
    if row.version != wanted:
        return f"Sent in the API version {row.version}; Hemi asks for {wanted}. Change it in the app's settings."
    return ""
