"""What becomes of the app in a store: uninstalled, given other scopes, done with a bulk operation."""

import logging

from django.db import transaction
from django.utils import timezone

from integrations import account_timeline, alerts, connections, scope_check, tokens, webhook_bodies
from integrations.models import AccountShopify, WebhookEvent, WebhookSubscription
from integrations.shopify import queries
from integrations.shopify.client import GraphQL, Pace
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

ASK_SECONDS = 8.0
REASON = "The client uninstalled the app."


def take_uninstalled(event: WebhookEvent) -> str:
    """Disconnect the account if the app is really gone: told after the token was stored, and the token is refused.

    Webhooks come late and twice, and a store may have installed the app again meanwhile. Raises BodyRefused, and
    ShopifyError while the store cannot be asked.
    """
    data = webhook_bodies.read(event)
    account = AccountShopify.objects.select_related("integration__credentials").get(pk=event.account_id)
    webhook_bodies.check_shop(account, data.get("myshopify_domain"), data.get("id"))
    if not account.is_authorised:
        return "The account was not connected any more."
    if event.triggered_at and account.authorised_at and event.triggered_at <= account.authorised_at:
        return "Older than the account's token: the app was installed again since. Nothing was changed."
    if _answers(account):
        return "The account's token still works: nothing was changed."
    if not _disconnect(account):
        return "Another token was stored at the same time: nothing was changed."
    return "The token is refused: the account was disconnected."


def take_scopes(event: WebhookEvent) -> str:
    """Compare what the store grants now with what is asked and needed. Raises ShopifyError."""
    account = AccountShopify.objects.select_related("integration__credentials").get(pk=event.account_id)
    if not account.is_authorised:
        return "The account is not connected."
    with connections.client_for(account, ASK_SECONDS) as client:
        scope_check.compare(account, client)
    return "The scopes were compared."


def take_bulk_operation(event: WebhookEvent) -> str:
    """Note that a bulk operation ended; nothing of Hemi's waits for one. Raises BodyRefused."""
    data = webhook_bodies.read(event)
    number = webhook_bodies.number(data.get("admin_graphql_api_id"))
    return f"Bulk operation {number} ended: {str(data.get('status') or 'no status')[:30]}."


def _answers(account: AccountShopify) -> bool:
    """Tell whether the stored token works, or one that Shopify gives in its place. Raises ShopifyError."""
    if _is_taken(account):
        return True
    try:
        # One that only ran out is refused in the same way.
        tokens.fresh_token(account, refused=account.access_token, interactive=True)
    except ShopifyError as error:
        if error.kind in (Kind.TEMPORARY, Kind.UNCERTAIN):
            raise
        return False
    return True


def _is_taken(account: AccountShopify) -> bool:
    store, pace = connections.store_of(account), Pace(ASK_SECONDS)
    with GraphQL(store, account.access_token, pace=pace) as client:
        try:
            client.execute(queries.SHOP)
        except ShopifyError as error:
            if error.kind != Kind.UNAUTHORISED:
                raise
            return False
    return True


def _disconnect(account: AccountShopify) -> bool:
    with transaction.atomic():
        row = AccountShopify.objects.select_for_update().get(pk=account.pk)
        if row.token_version != account.token_version:
            return False
        tokens.drop(row)
        AccountShopify.objects.filter(pk=row.pk).update(
            webhooks=AccountShopify.Webhooks.OFF,
            webhooks_error="",
            disconnected_at=timezone.now(),
            disconnect_reason=REASON,
        )
        WebhookSubscription.objects.filter(account=row).update(is_listed=False, note="Gone with the app.")
        for kind in ("subscriptions", "subscriptions_gone"):
            alerts.clear_alert(kind, row.pk)
        account_timeline.record(row, "uninstalled", f"{REASON} The token was dropped; orders and history stay.")
        alerts.raise_alert(
            "uninstalled",
            row.pk,
            f"{row.shop_name} uninstalled the app",
            f"{row.domain} is disconnected: no orders come in from it any more, what was sent stays.\n\n"
            "If that was a mistake, send the client a new install link.",
        )
    log.info("account.uninstalled", extra={**row.log_ids})
    return True
