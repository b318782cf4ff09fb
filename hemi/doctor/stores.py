"""Each connected store: its token, what its API said, its webhook subscriptions."""

from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from hemi.doctor.findings import Finding, problem, warning, well
from integrations import connections, problems, subscription_sync, topics
from integrations.models import AccountShopify, Integration, IntegrationCredentials
from integrations.shopify.errors import ShopifyError

ASK_SECONDS = 15.0
_FOR_WANT_OF_A_SCOPE = "Not subscribed:"  # how topics.skipped begins; the account says which
_MEND_WEBHOOKS = "Open the account and press “Check webhooks now”."


def look(*, connect: bool) -> Iterator[Finding]:
    """Look at the stores that are connected, and ask each with `connect`."""
    accounts = AccountShopify.objects.filter(disconnected_at=None).select_related("integration__credentials")
    count = 0
    for account in accounts.exclude(access_token="").order_by("shop_name").iterator(500):  # noqa: S106
        found = list(_of(account, connect=connect))
        count += not found
        yield from found
    yield well("stores", f"{count} connected, with nothing to mend")


def _of(account: AccountShopify, *, connect: bool) -> Iterator[Finding]:
    name = f"store {account.shop_name}"
    trouble = AccountShopify.Problem(account.problem)
    if trouble:
        yield problem(name, f"{trouble.label}: {account.problem_text}".rstrip(": "), problems.WHAT_NEXT[trouble])
    if account.token_expires_at and account.token_expires_at <= timezone.now() and not account.paused_at:
        mend = "See that the worker is at work; then read the account's timeline. Else send a new install link."
        yield problem(name, f"its token ended on {account.token_expires_at:%Y-%m-%d %H:%M} UTC", mend)
    if account.integration is None or not account.integration.is_active:
        yield problem(name, "it has no active integration", "Choose one on the account.")
        return
    if not _has_secret(account.integration):
        text = f"its integration {account.integration} has no client secret: every webhook is refused"
        yield problem(name, text, "Enter client id and secret under Integration Credentials.")
        return
    yield from _subscriptions(account, name)
    if connect:
        yield from _asked(account, name)


def _has_secret(integration: Integration) -> bool:
    try:
        return bool(integration.credentials.client_secret)
    except IntegrationCredentials.DoesNotExist:
        return False


def _subscriptions(account: AccountShopify, name: str) -> Iterator[Finding]:
    if account.webhooks == AccountShopify.Webhooks.FAILED:
        yield problem(name, f"webhooks failed: {account.webhooks_error}", _MEND_WEBHOOKS)
        return
    if account.webhooks != AccountShopify.Webhooks.ON:
        yield warning(name, f"webhooks: {account.get_webhooks_display().lower()}", _MEND_WEBHOOKS)
        return
    rows = {row.topic: row for row in account.subscriptions.all()}
    skipped = {topic for topic, row in rows.items() if row.note.startswith(_FOR_WANT_OF_A_SCOPE)}
    listed = {topic: row for topic, row in rows.items() if row.is_listed and topic in topics.TOPICS}
    if lacking := sorted(set(topics.TOPICS) - skipped - set(listed)):
        yield problem(name, f"not subscribed: {', '.join(lacking)}", _MEND_WEBHOOKS)
    if any(row.uri != subscription_sync.address(account) for row in listed.values()):
        text = f"webhooks go to another address than {settings.HEMI_BASE_URL}"
        yield problem(name, text, f"Mend HEMI_BASE_URL, or: {_MEND_WEBHOOKS}")


def _asked(account: AccountShopify, name: str) -> Iterator[Finding]:
    try:
        with connections.client_for(account, ASK_SECONDS, interactive=True) as client:
            found = subscription_sync.look(client, account)
    except ShopifyError as error:
        yield problem(name, f"it does not answer: {error.message}", "Press “Refresh Locations” on the account later.")
        return
    if found.gone:
        yield problem(name, f"subscriptions that Shopify lists no more: {', '.join(found.gone)}", _MEND_WEBHOOKS)
