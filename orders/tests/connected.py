"""A store on loopback and the account that is connected to it."""

from datetime import timedelta

from django.utils import timezone

from integrations.models import AccountShopify

SCOPES = ["read_orders", "read_products", "read_customers"]


def connect(account, sandbox, settings, scopes=SCOPES, **columns):
    """Give the account a token of the sandbox's store `test`; orders count from an hour ago."""
    settings.SHOPIFY_SHOP_URL = sandbox.shop_url_template
    account.access_token = sandbox.issue_token("client", "test", scopes)
    account.granted_scopes = ",".join(scopes)
    account.orders_from = timezone.now() - timedelta(hours=1)
    for name, value in columns.items():
        setattr(account, name, value)
    account.save()
    return account


def make_due(account, **columns):
    """Let the account's next comparison be due now."""
    AccountShopify.objects.filter(pk=account.pk).update(
        reconcile_next_at=timezone.now() - timedelta(seconds=1), **columns
    )


def later(seconds=0, **shift):
    """Return a moment of now shifted, as a store writes it."""
    return (timezone.now() + timedelta(seconds=seconds, **shift)).isoformat(timespec="seconds")
