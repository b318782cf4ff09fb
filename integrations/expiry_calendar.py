"""What ends when, for all accounts: what a person must see to, and what Hemi renews by itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from django.db.models import Model, QuerySet
from django.utils import timezone

from integrations import problems, token_grants
from integrations.models import AccountShopify, InstallLink, Integration, IntegrationCredentials
from integrations.token_grants import Way

LASTING_TOKENS_END = datetime(2027, 1, 1, tzinfo=UTC)  # for the tokens of public and unlisted apps
MOST = 500  # rows of a table; the list of accounts has filters for more
_PUBLIC = (Integration.AppType.PUBLIC, Integration.AppType.PRIVATE)


@dataclass(frozen=True)
class End:
    """Something that ends: when (None: it has ended already), what, whose, and what follows from it."""

    at: datetime | None
    what: str
    of: Model
    then: str

    @property
    def is_over(self) -> bool:
        return self.at is None or self.at <= timezone.now()


@dataclass(frozen=True)
class Renewed:
    """An account whose token Hemi renews, and until when that can go on without it."""

    account: AccountShopify
    token_until: datetime | None
    refresh_until: datetime | None

    @property
    def is_late(self) -> bool:
        return self.token_until is not None and self.token_until <= timezone.now() and not self.account.paused_at


def ends() -> list[End]:
    """Return what a person must see to, the soonest first."""
    found = chain(_refused(), _lasting(), _unrenewed(), _links(), _overlaps(), _versions())
    return sorted(found, key=lambda end: (end.at is not None, end.at or LASTING_TOKENS_END, end.what))[:MOST]


def renewed() -> list[Renewed]:
    """Return the accounts whose token Hemi renews, the first to end first."""
    rows = _connected().exclude(token_expires_at=None).order_by("token_expires_at")
    return [
        Renewed(account, account.token_expires_at, account.refresh_expires_at)
        for account in rows[:MOST]
        if token_grants.way(account) in (Way.REFRESH, Way.CREDENTIALS)
    ]


def version_ends(version: str) -> datetime | None:
    """Return when Shopify stops answering in an API version: a year after its quarter began. None: it has none."""
    if not re.fullmatch(r"20\d\d-(01|04|07|10)", version):
        return None
    return datetime(int(version[:4]) + 1, int(version[5:]), 1, tzinfo=UTC)


def unready() -> QuerySet[AccountShopify]:
    """Return the accounts of public and unlisted apps whose token does not expire: Shopify refuses those from 2027."""
    return _connected().filter(integration__app_type__in=_PUBLIC, token_expires_at=None)


def _connected() -> QuerySet[AccountShopify]:
    return AccountShopify.objects.exclude(access_token="").select_related("integration", "token_integration")  # noqa: S106


def _refused() -> Iterator[End]:
    bad = (AccountShopify.Problem.REAUTHORISE, AccountShopify.Problem.NO_TOKEN, AccountShopify.Problem.TOKEN_KIND)
    for account in AccountShopify.objects.filter(problem__in=bad, disconnected_at=None)[:MOST]:
        problem = AccountShopify.Problem(account.problem)
        yield End(None, str(problem.label), account, problems.WHAT_NEXT[problem])


def _lasting() -> Iterator[End]:
    for account in unready()[:MOST]:
        then = "Not ready for 1 January 2027: move it to an expiring token, or Shopify refuses every call from then on."
        yield End(LASTING_TOKENS_END, "Token that does not expire, of a public app", account, then)


def _unrenewed() -> Iterator[End]:
    for account in _connected().exclude(token_expires_at=None)[:MOST]:
        if token_grants.way(account) not in (Way.REFRESH, Way.CREDENTIALS):
            yield End(
                account.token_expires_at, "Access token that cannot be renewed", account, "Send a new install link."
            )


def _links() -> Iterator[End]:
    rows = InstallLink.objects.filter(status=InstallLink.Status.OPEN).select_related("account")
    for link in rows.order_by("expires_at")[:MOST]:
        yield End(
            link.expires_at, "Install link", link.account, "The client has not used it yet. A new one can be sent."
        )


def _overlaps() -> Iterator[End]:
    rows = IntegrationCredentials.objects.exclude(previous_client_secret="").exclude(previous_secret_until=None)  # noqa: S106
    for row in rows.select_related("integration")[:MOST]:
        then = "From then on only the current client secret is accepted."
        yield End(row.previous_secret_until, "Overlap of two client secrets", row.integration, then)


def _versions() -> Iterator[End]:
    for app in Integration.objects.filter(pk__in=_connected().values("integration"))[:MOST]:
        then = "Move to a newer API version before; Shopify then answers in the oldest one that it still supports."
        if at := version_ends(app.version):
            yield End(at, f"API version {app.version}", app, then)
