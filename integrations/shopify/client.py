"""Shopify's GraphQL Admin API: one store, one token, one connection.

https://shopify.dev/docs/api/admin-graphql and https://shopify.dev/docs/api/usage/limits
"""

import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests

from integrations.shopify import answers
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0  # between two bytes
DEADLINE_SECONDS = 60.0  # for one call with all its waits
REPEATS = 3  # of a query that met a 5xx or a cut connection
PAUSE_SECONDS = 0.5  # before the first repeat; then twice as long each time
_NAME = re.compile(r"(query|mutation)\s+(\w+)")


@dataclass(frozen=True)
class _Call:
    body: dict
    name: str
    is_mutation: bool
    give_up_at: float


class GraphQL:
    """Ask one store. Use as a context manager, so that its connection is closed."""

    def __init__(self, *, shop_url: str, token: str, version: str, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._url = f"{shop_url}/admin/api/{version}/graphql.json"
        self._version = version
        self._deadline_seconds = deadline_seconds
        self._session = requests.Session()
        self._session.headers.update({"X-Shopify-Access-Token": str(token), "Accept": "application/json"})

    def __enter__(self) -> "GraphQL":
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    def execute(self, document: str, variables: dict | None = None) -> dict:
        """Return the `data` of a document.

        Throttling is waited out. A query is repeated on a 5xx or a cut connection, a mutation never: it may have been
        done, and then the error says UNCERTAIN. Raises ShopifyError, also for `errors` and `userErrors`.
        """
        return self._execute(document, variables or {}, time.monotonic() + self._deadline_seconds)

    def nodes(self, document: str, connection: str, variables: dict | None = None) -> Iterator[dict]:
        """Yield every node of a connection, page by page within one deadline; the document takes `$after`."""
        give_up_at = time.monotonic() + self._deadline_seconds
        after = None
        while True:
            page = self._execute(document, {**(variables or {}), "after": after}, give_up_at)[connection]
            yield from page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            if page["pageInfo"]["endCursor"] in (None, after):
                raise ShopifyError(Kind.PERMANENT, f"Shopify's list of {connection} does not go on.")
            after = page["pageInfo"]["endCursor"]

    def _execute(self, document: str, variables: dict, give_up_at: float) -> dict:
        match = _NAME.match(document.lstrip())
        assert match, "every document in queries has a name"
        kind, name = match.groups()
        call = _Call({"query": document, "variables": variables}, name, kind == "mutation", give_up_at)
        failures = 0
        while True:
            try:
                return self._post(call)
            except answers.Throttled as throttled:
                wait, error = throttled.seconds, throttled.error
            except ShopifyError as failed:
                failures += 1
                if not failed.is_temporary or call.is_mutation or failures > REPEATS:
                    raise
                wait, error = PAUSE_SECONDS * 2 ** (failures - 1), failed
            if time.monotonic() + wait > give_up_at:
                raise error
            log.info("shopify.waits", extra={"operation": name, "seconds": round(wait, 2), "why": error.message})
            time.sleep(wait)

    def _post(self, call: _Call) -> dict:
        left = max(0.1, call.give_up_at - time.monotonic())
        timeout = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))
        try:
            answer = self._session.post(self._url, json=call.body, timeout=timeout, allow_redirects=False)
        except requests.RequestException as error:
            was_sent = not isinstance(error, requests.ConnectTimeout)
            kind = Kind.UNCERTAIN if call.is_mutation and was_sent else Kind.TEMPORARY
            raise ShopifyError(kind, f"Shopify could not be reached ({type(error).__name__}).") from None
        self._log(answer, call.name)
        return answers.read(answer, is_mutation=call.is_mutation)

    def _log(self, answer: requests.Response, name: str) -> None:
        served = answer.headers.get("X-Shopify-API-Version", self._version)
        log.info(
            "shopify.call",
            extra={
                "operation": name,
                "status": answer.status_code,
                "cost": answers.cost(answer),
                "request_id": answer.headers.get("X-Request-Id", ""),
                "milliseconds": int(answer.elapsed.total_seconds() * 1000),
            },
        )
        if served != self._version:
            log.warning("shopify.other_version", extra={"asked": self._version, "served": served})
