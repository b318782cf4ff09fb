"""A store that was renamed is followed: its permanent domain changes, its shop id and its token do not."""

import json
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from hemi.lib import queue
from integrations import account_timeline, alerts, connections, webhook_bodies
from integrations.models import AccountShopify, Integration
from integrations.shopify import domains, signatures, stores
from integrations.shopify.errors import ShopifyError
from integrations.shopify.stores import Shop

log = logging.getLogger(__name__)

HINT_EVERY = timedelta(minutes=1)  # for one account, however many webhooks name another store
ASK_SECONDS = 8.0
BATCH = 20


def hint(account_id: int, domain: str) -> None:
    """Have the store asked what it is called now: a signed webhook named another one than its account."""
    try:
        name = domains.from_domain(domain.lower())
    except ValueError:
        return
    now = timezone.now()
    is_time = Q(hinted_at=None) | Q(hinted_at__lt=now - HINT_EVERY)
    if AccountShopify.objects.filter(is_time, pk=account_id).update(hinted_name=name, hinted_at=now):
        log.info("rename.hinted", extra={"account": account_id})
        queue.kick("integrations.follow_renames")


def follow_body(app_uuid: UUID, body: bytes, claimed: str) -> bool:
    """Follow a store that was renamed after its token was gone; say whether it was followed.

    There is nothing to ask it with, and its redaction comes under the new name. So the compliance webhook itself is
    believed: its body is signed, and names the shop id together with the name.
    """
    rows = Integration.objects.filter(uuid=app_uuid).select_related("credentials")
    integration = rows.filter(credentials__isnull=False).first()
    if integration is None or not signatures.is_webhook_signed(body, claimed, integration.credentials.secrets):
        return False
    shop = _shop_in(body)
    account = integration.accounts.filter(shopify_shop_id=shop.id).first() if shop else None
    if shop is None or account is None or shop.name in account.names:
        return False
    if account.is_authorised:
        hint(account.pk, f"{shop.name}.myshopify.com")
        return False
    return follow(account, shop)


def follow_renames() -> None:
    """Ask each store about which there is a hint, and follow those that were renamed."""
    rows = AccountShopify.objects.exclude(hinted_name="").select_related("integration__credentials")
    for account in rows.order_by("hinted_at")[:BATCH]:
        if rows.filter(pk=account.pk, hinted_name=account.hinted_name).update(hinted_name=""):
            check(account, account.hinted_name)


def check(account: AccountShopify, hinted: str = "") -> bool:
    """Ask the store what it is called, under its old name and then under the hinted one; say whether it was followed.

    The hint is not believed: with the account's own token the store itself must say it, under its own shop id.
    """
    for name in dict.fromkeys(filter(None, (account.shop_name, hinted))):
        try:
            shop = _ask(account, name)
        except ShopifyError as error:
            log.info("rename.not_answered", extra={"account": account.pk, "error": error.message})
            continue
        if shop.name != account.shop_name:
            return follow(account, shop)
    if hinted and not account.is_authorised:
        text = f"A webhook came under the name {hinted}. Without an access token the store cannot be asked whether it "
        account_timeline.record_once(
            account, "rename_unsure", f"{text}was renamed. If it was, say so: “Store was renamed”."
        )
    return False


def follow(account: AccountShopify, shop: Shop) -> bool:
    """Take over the name that the store's own API gave, if it is the same store; say whether it was."""
    if account.shopify_shop_id not in (None, shop.id) or shop.name == account.shop_name:
        return False
    text = f"The store was renamed from {account.shop_name} to {shop.name}; the account follows."
    return _take_over(account, shop.name, text, shopify_shop_id=shop.id)


def believe(account: AccountShopify, name: str, by: Any) -> bool:
    """Take over the name that a person gave for a store that cannot be asked; say whether it was free.

    When the store is connected again its shop id is compared.
    """
    text = f"The store was renamed from {account.shop_name} to {name}, as staff say; without a token it was not asked."
    return _take_over(account, name, text, by)


def _take_over(account: AccountShopify, name: str, text: str, by: Any = None, **changes: Any) -> bool:
    former = [*(known for known in account.former_names if known != name), account.shop_name]
    changes |= {"shop_name": name, "former_names": former}
    mine = AccountShopify.objects.filter(pk=account.pk, shop_name=account.shop_name)
    try:
        with transaction.atomic():
            _make_way(name)
            if not mine.update(**changes):
                return False
            account_timeline.record(account, "renamed", text, actor=by)
            alerts.clear_alert("rename", account.pk)
    except IntegrityError:
        _tell_taken(account, name)
        return False
    log.info("account.renamed", extra={"account": account.pk})
    for field, value in changes.items():
        setattr(account, field, value)
    return True


def _shop_in(body: bytes) -> Shop | None:
    try:
        data = json.loads(body)
        return Shop(webhook_bodies.number(data["shop_id"]), domains.from_domain(str(data["shop_domain"]).lower()))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _ask(account: AccountShopify, name: str) -> Shop:
    # A copy under another name, never saved: the token is the account's, the address the one to try.
    tried = AccountShopify.objects.select_related("integration__credentials").get(pk=account.pk)
    tried.shop_name = name
    with connections.client_for(tried, ASK_SECONDS) as client:
        return stores.shop(client)


def _make_way(name: str) -> None:
    """Remove an empty account that was made when this very store came by itself under its new name."""
    rows = AccountShopify.objects.filter(shop_name=name, is_unclaimed=True, access_token="")  # noqa: S106
    rows.filter(webhook_events=None, orders=None).delete()


def _tell_taken(account: AccountShopify, name: str) -> None:
    alerts.raise_alert(
        "rename",
        account.pk,
        f"{account.shop_name} is called {name} now, and another account has that name",
        f"The store of the account {account.shop_name} was renamed to {name}, but there is an account {name} already. "
        "Disconnect one of the two, or delete it if it has no orders; the other follows by itself.",
    )
