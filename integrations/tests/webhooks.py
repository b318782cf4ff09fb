"""Post webhooks as Shopify does."""

from integrations.shopify import signatures

BODY = b'{"id": 820982911946154508, "name": "#1001"}'


def headers(body=BODY, secret="hush", **changes):
    """Return the headers of a webhook; a change to None leaves one out."""
    values = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "X-Shopify-Shop-Domain": "test.myshopify.com",
        "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Triggered-At": "2026-11-20T18:00:27.877041743Z",
        "X-Shopify-Hmac-Sha256": signatures.webhook_hmac(body, secret),
    }
    values |= {f"X-Shopify-{name.replace('_', '-')}": value for name, value in changes.items()}
    return {name: value for name, value in values.items() if value is not None}


def post(client, account, body=BODY, **changes):
    """Post to the address of an account."""
    url = f"/shopify/webhooks/{account.uuid}/"
    return client.post(url, body, content_type="application/json", headers=headers(body, **changes))


def post_to_app(client, integration, body=BODY, **changes):
    """Post to the address of an app."""
    url = f"/shopify/webhooks/app/{integration.uuid}/"
    return client.post(url, body, content_type="application/json", headers=headers(body, **changes))
