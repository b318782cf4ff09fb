"""Whose secrets a signed request is checked with."""

from datetime import datetime

from django.db.models import Q

from integrations.claimed_signatures import Key
from integrations.models import AccountShopline, Integration, IntegrationCredentials
from integrations.signature_checks import CURRENT, OLD, Secrets

MOST_OTHERS = 50  # whose secrets are tried to explain a wrong signature


def of_shopline(account: AccountShopline, at: datetime) -> Secrets:
    """Return the App Proxy Secrets of an account as they were accepted at that time, and those it is confused with."""
    previous = account.previous_app_proxy_secret or account.retired_app_proxy_secret
    own = _own(account.app_proxy_secret, previous, bool(account.previous_app_proxy_secret) and _is_kept(account, at))
    rows = AccountShopline.objects.exclude(pk=account.pk).exclude(app_proxy_secret="").order_by("-pk")[:MOST_OTHERS]
    others = [Key(f"the App Proxy Secret of {row}", row.app_proxy_secret, is_accepted=False) for row in rows]
    return Secrets(own, [*_spoilt(own), *others, *_of_apps("the client secret of an app", Q())])


def of_integration(integration: Integration, at: datetime) -> Secrets:
    """Return the client secrets of an app as they were accepted at that time, and those they are confused with."""
    credentials = IntegrationCredentials.objects.filter(integration=integration).first()
    if credentials is None:
        return Secrets([])
    until = credentials.previous_secret_until
    is_kept = until is None or until > at
    own = _own(credentials.client_secret, credentials.previous_client_secret, is_kept)
    return Secrets(own, [*_spoilt(own), *_of_apps("the client secret of {}", ~Q(integration=integration))])


def _is_kept(account: AccountShopline, at: datetime) -> bool:
    return account.previous_secret_until is not None and account.previous_secret_until > at


def _own(current: str, previous: str, is_kept: bool) -> list[Key]:
    keys = [Key(CURRENT, current), Key(OLD, previous, is_accepted=is_kept)]
    return [key for key in keys if key.secret]


def _spoilt(own: list[Key]) -> list[Key]:
    return [Key(f"the {key.title} and a line break after it", f"{key.secret}\n", is_accepted=False) for key in own]


def _of_apps(title: str, which: Q) -> list[Key]:
    rows = IntegrationCredentials.objects.filter(which).exclude(client_secret="").select_related("integration")
    return [
        Key(title.format(row.integration), row.client_secret, is_accepted=False)
        for row in rows.order_by("-pk")[:MOST_OTHERS]
    ]
