"""A store that posts signed orders, and posts them again until they are taken, as Shopify does."""

import base64
import hashlib
import hmac
import itertools
import json
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import requests

from sandbox.shopify import make_order

SHOP, SECRET = "drill", "the-secret-of-the-drill"  # noqa: S105
PATIENCE_SECONDS = 90
PAUSE_SECONDS = 0.2
ANSWER_SECONDS = 5
AT_ONCE = 8


class NotTaken(RuntimeError):
    """Hemi took an order from nobody for a long time."""


@dataclass
class Shop:
    """Posts orders to Hemi's web processes; `accepted` holds the ids that were answered with 200, by vendor."""

    urls: Sequence[str]
    accepted: dict[int, str] = field(default_factory=dict)
    repeats: int = 0
    _numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_ONCE))

    def post(self, vendor: str, count: int) -> list[int]:
        """Post so many new orders of one vendor, each until it is taken; return their ids. Raises NotTaken."""
        with self._places, requests.Session() as session:
            session.trust_env = False
            return [self._post(session, vendor) for _ in range(count)]

    def _post(self, session: requests.Session, vendor: str) -> int:
        with self._lock:
            order = make_order(next(self._numbers))
        for line in order["line_items"]:
            line["vendor"] = vendor
        body, webhook_id = json.dumps(order).encode(), str(uuid.uuid4())
        deadline = time.monotonic() + PATIENCE_SECONDS
        # As through a proxy: another process each time.
        urls = itertools.islice(itertools.cycle(self.urls), order["id"] % len(self.urls), None)
        while not self._is_taken(session, next(urls), body, webhook_id):
            if time.monotonic() > deadline:
                raise NotTaken(f"Order {order['id']} was not taken within {PATIENCE_SECONDS} seconds.")
            self.repeats += 1
            time.sleep(PAUSE_SECONDS)
        with self._lock:
            self.accepted[order["id"]] = vendor
        return order["id"]

    def _is_taken(self, session: requests.Session, url: str, body: bytes, webhook_id: str) -> bool:
        try:
            answer = session.post(url, body, headers=_headers(body, webhook_id), timeout=ANSWER_SECONDS)
        except requests.RequestException:
            return False
        return answer.status_code == 200


def _headers(body: bytes, webhook_id: str) -> dict[str, str]:
    digest = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Shop-Domain": f"{SHOP}.myshopify.com",
        "X-Shopify-Hmac-Sha256": digest,
        "X-Shopify-API-Version": "2026-10",
    }
