"""How suppliers' servers and stores stand: one by one while they are few, else counted."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, QuerySet
from django.utils import timezone

from integrations.models import AccountShopify, StaffAlert
from suppliers.models import Endpoint

FEW = 50
ENDPOINT_STATES = ("works", "left_alone", "stopped", "closed")


def endpoint_state(endpoint: Endpoint) -> str:
    """Return in one word how the endpoint's circuit breaker stands, or that it waits for a person."""
    if endpoint.closed_at:
        return "closed"
    if endpoint.stopped_at:
        return "stopped"
    return "left_alone" if endpoint.opened_at else "works"


def endpoints() -> tuple[Counter[str], list[tuple[str, str]]]:
    """Return the active endpoints by state, and one by one, by name, while they are few."""
    columns = ("name", "opened_at", "stopped_at", "closed_at")
    rows = [(row.name, endpoint_state(row)) for row in Endpoint.objects.filter(is_active=True).only(*columns)]
    return Counter(state for _, state in rows), rows if len(rows) <= FEW else []


def accounts() -> Iterator[tuple[str, int]]:
    """Yield the accounts by what their store's API said last; blank where nothing needs a person."""
    rows = AccountShopify.objects.filter(disconnected_at=None).order_by().values_list("problem")
    yield from rows.annotate(count=Count("pk"))


def open_alerts() -> dict[str, float]:
    """Return how many staff alerts of each kind are open; the kinds stand in the code."""
    rows = StaffAlert.objects.filter(cleared_at=None).order_by().values_list("kind")
    return dict(rows.annotate(count=Count("pk")))


def token_ends() -> Iterator[tuple[str, str, datetime]]:
    """Yield (kind, store, end) of the tokens that end; where they are many, of the first to end alone, without a store.

    A store that is paused or disconnected has no token that anybody needs.
    """
    for kind, column in (("access", "token_expires_at"), ("refresh", "refresh_expires_at")):
        rows = _in_use().exclude(**{column: None})
        first = list(rows.order_by(column).values_list("shop_name", column)[: FEW + 1])
        if len(first) > FEW:
            yield kind, "", first[0][1]
        else:
            yield from ((kind, name, at) for name, at in first)


def tokens_over() -> int:
    """Return how many tokens have ended although somebody needs them."""
    return _in_use().filter(token_expires_at__lte=timezone.now()).count()


def _in_use() -> QuerySet[AccountShopify]:
    return AccountShopify.objects.filter(disconnected_at=None, paused_at=None).exclude(access_token="")  # noqa: S106
