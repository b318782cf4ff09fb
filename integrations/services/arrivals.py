"""A store's owner who comes from Shopify's own install link, by the app's App URL: checked, then sent to consent.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
"""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from integrations import account_timeline, connections, consent
from integrations.models import AccountShopify, InstallLink, Integration
from integrations.services import install_links
from integrations.services.refusals import Refused, VisitRefused
from integrations.shopify import queries, signatures, signed_queries
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

MOST_STORES_AN_HOUR = 20  # new ones, of one app, that no account names
MOST_LINKS_AN_HOUR = 10  # of one account, made by visits
LOOK_SECONDS = 5.0  # how long a client waits for us to see whether the token still works
UNCLAIMED = "The store came by itself. Give it a client; then its orders go out."
_REQUIRED = ("hmac", "shop", "timestamp")
_ASK = "Please open the app from your Shopify admin again, or ask your contact for a link."
_SENTENCES = {
    "incomplete": f"The address that brought you here is not complete. {_ASK}",
    "malformed": f"The address that brought you here is damaged. {_ASK}",
    "shop": f"The address that brought you here does not name a Shopify store. {_ASK}",
    "app_unknown": "We do not know this app. Please ask your contact for a link.",
    "hmac": f"We could not verify that this request comes from Shopify. {_ASK}",
    "timestamp": "This took too long. Nothing was connected. Please open the app from your Shopify admin again.",
    "other_app": "This store works with us through another app. Please ask your contact which one to use.",
    "not_ready": "This app is not ready to be connected yet. Please ask your contact.",
    "too_many": "This was tried too often. Please wait an hour, then open the app from your Shopify admin again.",
}
_STATUSES = {"incomplete": 400, "malformed": 400, "shop": 400, "app_unknown": 404, "too_many": 429}
_DEAD = (Kind.UNAUTHORISED, Kind.REAUTHORISE)


class ArrivalRefused(VisitRefused):
    """A visit to the App URL was refused by `rule`."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule, _SENTENCES[rule], _STATUSES.get(rule, 403))


@dataclass(frozen=True)
class Arrival:
    """Where the visitor goes on to; blank where the store is connected already."""

    account: AccountShopify
    authorize_url: str = field(default="", repr=False)


def arrive(app_uuid: UUID, query: str) -> Arrival:
    """Check a visit to the App URL and return its way to consent; raises ArrivalRefused.

    The account's open link serves every visit, so that a request sent again makes nothing new.
    """
    try:
        integration = _integration(app_uuid)
        account = _account(integration, _verified_shop(integration, query))
        if _is_connected(account):
            return Arrival(account)
        return Arrival(account, consent.url(_link(account)))
    except ArrivalRefused as refused:
        ids = {"integration": str(app_uuid), "rule": refused.rule, "signed": signed_queries.outline(query)}
        log.warning("arrival.refused", extra=ids)
        raise


def _integration(uuid: UUID) -> Integration:
    rows = Integration.objects.filter(uuid=uuid, platform=Integration.Platform.SHOPIFY, is_active=True)
    integration = rows.select_related("credentials").first()
    if integration is None or not hasattr(integration, "credentials"):
        raise ArrivalRefused("app_unknown")
    return integration


def _verified_shop(integration: Integration, query: str) -> str:
    try:
        fields = signed_queries.read(query, _REQUIRED)
        name = signed_queries.shop_name(fields)
    except signed_queries.QueryRefused as refused:
        raise ArrivalRefused(refused.rule) from None
    if not signatures.is_query_signed(query, integration.credentials.secrets):
        raise ArrivalRefused("hmac")
    if not signed_queries.is_near(fields["timestamp"]):
        raise ArrivalRefused("timestamp")
    return name


def _account(integration: Integration, shop_name: str) -> AccountShopify:
    if integration.is_internal:
        raise ArrivalRefused("not_ready")
    rows = AccountShopify.objects.select_related("integration__credentials")
    account = rows.filter(shop_name=shop_name).first() or _take_in(integration, shop_name)
    if account.integration_id == integration.pk:
        return account
    if rows.filter(pk=account.pk, is_unclaimed=True, access_token="").update(integration=integration):  # noqa: S106
        return rows.get(pk=account.pk)
    told = f"The store's owner opened the app {integration.name}, which is not the Integration App of this account."
    account_timeline.record_once(account, f"refused_other_app_{integration.pk}", told)
    raise ArrivalRefused("other_app")


def _take_in(integration: Integration, shop_name: str) -> AccountShopify:
    """Make an account for a shop that none names. It is paused: nothing goes out for a store that nobody knows."""
    now = timezone.now()
    recent = AccountShopify.objects.filter(is_unclaimed=True, created_at__gt=now - timedelta(hours=1))
    if recent.filter(integration=integration).count() >= MOST_STORES_AN_HOUR:
        raise ArrivalRefused("too_many")
    first = {"integration": integration, "is_unclaimed": True, "paused_at": now, "pause_reason": UNCLAIMED}
    account, is_new = AccountShopify.objects.get_or_create(shop_name=shop_name, defaults=first)
    if is_new:
        account_timeline.record(account, "arrived", f"The store came by itself, through the app {integration.name}.")
    return account


def _is_connected(account: AccountShopify) -> bool:
    """Say whether nothing is left to ask for; a token of before an uninstall is found out by using it."""
    try:
        if not account.is_authorised or install_links.missing_scopes(account):
            return False
        with connections.client_for(account, LOOK_SECONDS, interactive=True) as client:
            client.execute(queries.SHOP)
    except Refused:
        return False
    except ShopifyError as error:
        return error.kind not in _DEAD
    return True


def _link(account: AccountShopify) -> InstallLink:
    made = account.install_links.filter(made_by=None, created_at__gt=timezone.now() - timedelta(hours=1))
    is_open = Q(status=InstallLink.Status.OPEN)
    if made.count() >= MOST_LINKS_AN_HOUR and not account.install_links.filter(is_open).exists():
        raise ArrivalRefused("too_many")
    try:
        link = install_links.get_or_make(account=account, by=None)
    except Refused as refused:
        account_timeline.record_once(account, "refused_not_ready", f"The store's owner opened the app: {refused}")
        raise ArrivalRefused("not_ready") from None
    log.info("arrival.sent_to_consent", extra={"install_link": link.pk, **account.log_ids})
    return link
