"""Signed webhooks as Shopify posts them, of ten thousand bytes or a little more."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from sandbox.shopify import make_order

SECRET = "the-secret-of-the-bench"
SHOP = "bench"
SIZE = 10_000


@dataclass(frozen=True)
class Webhook:
    """A body and the headers that go with it; only the webhook id is missing."""

    body: bytes
    headers: dict[str, str]


def order(number: int) -> Webhook:
    """Return the webhook of a paid order with a line for each of the sandbox's two suppliers."""
    body = make_order(number)
    padding = SIZE - len(json.dumps(body))
    if padding > 0:
        body["note_attributes"] = [{"name": "gift wrap", "value": "x" * padding}]
    return signed(json.dumps(body).encode())


def order_id(number: int) -> int:
    """Return the id that Shopify gave the order of this number."""
    return make_order(number)["id"]


def signed(body: bytes) -> Webhook:
    """Sign a body; the signature covers nothing else."""
    digest = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    return Webhook(
        body,
        {
            "Content-Type": "application/json",
            "X-Shopify-Topic": "orders/create",
            "X-Shopify-Shop-Domain": f"{SHOP}.myshopify.com",
            "X-Shopify-Hmac-Sha256": digest,
            "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Triggered-At": "2026-11-05T09:30:01.123456789Z",
        },
    )
