"""Shopify's GraphQL Admin API: one store, one token, one connection.

https://shopify.dev/docs/api/admin-graphql and https://shopify.dev/docs/api/usage/limits
"""

import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import requests

from hemi.lib import counters
from integrations.shopify import answers, pacing
from integrations.shopify.errors import Kind, ShopifyError

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0  # between two bytes
DEADLINE_SECONDS = 60.0  # for one call with all its waits
REPEATS = 3  # of a query that met a 5xx or a cut connection
PAUSE_SECONDS = 0.5  # before the first repeat; then twice as long each time
_NAME = re.compile(r"(query|mutation)\s+(\w+)")


@dataclass(frozen=True)
class Store:
    """Which store is asked, by which app, in which version of the API; the account is for the log, the app for the
    bucket."""

    url: str
    version: str
    name: str = ""
    app: str = ""
    account: int | None = None

    @property
    def log_ids(self) -> dict[str, object]:
        """What a log line says of the store."""
        return {"account": self.account, "account_name": self.name}


@dataclass(frozen=True)
class Pace:
    """How long one call may take with all its waits, and whether a person waits for it."""

    deadline_seconds: float = DEADLINE_SECONDS
    is_interactive: bool = False


class Keeper(Protocol):
    """Whoever keeps the store's token and knows what was refused."""

    def renew(self, refused: str) -> str:
        """Return a token in place of the one that Shopify refused; raises ShopifyError where there is none."""

    def note(self, operation: str, error: ShopifyError | None) -> None:
        """Learn how a call ended: with an answer, or with what Shopify would not give."""


@dataclass(frozen=True)
class _Call:
    body: dict
    name: str
    is_mutation: bool
    give_up_at: float


class GraphQL:
    """Ask one store. Use as a context manager, so that its connection is closed."""

    def __init__(self, store: Store, token: str, *, pace: Pace | None = None, keeper: Keeper | None = None) -> None:
        self._store = store
        self._url = f"{store.url}/admin/api/{store.version}/graphql.json"
        self._pace = pace or Pace()
        self._keeper = keeper
        self._bucket = pacing.buckets.of(f"{store.url} {store.app}")
        self._token = str(token)
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"
        self.served_version = ""  # of the API, as the last answer said; Shopify replaces a retired one

    def __enter__(self) -> "GraphQL":
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    def execute(self, document: str, variables: dict | None = None) -> dict:
        """Return the `data` of a document.

        Throttling is waited out, before and after. A query is repeated on a 5xx or a cut connection, a mutation never:
        it may have been done, and then the error says UNCERTAIN. A refused token is renewed once. Raises ShopifyError,
        also for `errors` and `userErrors`.
        """
        return self._execute(document, variables or {}, time.monotonic() + self._pace.deadline_seconds)

    def nodes(self, document: str, connection: str, variables: dict | None = None) -> Iterator[dict]:
        """Yield every node of a connection, page by page within one deadline; the document takes `$after`."""
        give_up_at = time.monotonic() + self._pace.deadline_seconds
        after = None
        while True:
            data = self._execute(document, {**(variables or {}), "after": after}, give_up_at)
            nodes, info = answers.page(data, connection)
            yield from nodes
            if not info["hasNextPage"]:
                return
            if info["endCursor"] in (None, after):
                raise ShopifyError(Kind.PERMANENT, f"Shopify's list of {connection} does not go on.")
            after = info["endCursor"]

    def _execute(self, document: str, variables: dict, give_up_at: float) -> dict:
        match = _NAME.match(document.lstrip())
        assert match, "every document in queries has a name"
        kind, name = match.groups()
        call = _Call({"query": document, "variables": variables}, name, kind == "mutation", give_up_at)
        try:
            data = self._with_fresh_token(call)
        except ShopifyError as error:
            error.operation = name
            if self._keeper:
                self._keeper.note(name, error)
            raise
        if self._keeper:
            self._keeper.note(name, None)
        return data

    def _with_fresh_token(self, call: _Call) -> dict:
        try:
            return self._with_patience(call)
        except ShopifyError as error:
            if error.kind != Kind.UNAUTHORISED or self._keeper is None:
                raise
            # A 401 was not run, so that a mutation is sent again as well.
            self._token = self._keeper.renew(self._token)
        return self._with_patience(call)

    def _with_patience(self, call: _Call) -> dict:
        failures = 0
        while True:
            try:
                return self._post(call)
            except answers.Throttled as throttled:
                self._count("throttled_calls")
                wait, error = throttled.seconds, throttled.error
            except ShopifyError as failed:
                failures += 1
                if not failed.is_temporary or call.is_mutation or failures > REPEATS:
                    raise
                wait, error = PAUSE_SECONDS * 2 ** (failures - 1), failed
            if time.monotonic() + wait > call.give_up_at:
                raise error
            why = {"seconds": round(wait, 2), "why": error.message}
            self._count("wait_seconds", wait)
            log.info("shopify.waits", extra={**self._store.log_ids, "operation": call.name, **why})
            time.sleep(wait)

    def _post(self, call: _Call) -> dict:
        points, waited = self._bucket.take(pacing.Wish(call.name, self._pace.is_interactive, call.give_up_at))
        self._count("wait_seconds", waited)
        cost = None
        try:
            # A mutation that comes too late may have been given to somebody else meanwhile.
            if (waited or call.is_mutation) and time.monotonic() >= call.give_up_at:
                raise ShopifyError(Kind.TEMPORARY, "Shopify is busy: the store's points are used up for now.")
            answer = self._send(call, waited)
            cost = answers.cost(answer)
            self._log(answer, call.name, cost, waited)
        finally:
            self._bucket.note(call.name, points, cost)
        return answers.read(answer, is_mutation=call.is_mutation)

    def _send(self, call: _Call, waited: float) -> requests.Response:
        left = max(0.1, call.give_up_at - time.monotonic())
        timeout = (min(CONNECT_SECONDS, left), min(READ_SECONDS, left))
        headers = {"X-Shopify-Access-Token": self._token}
        try:
            return self._session.post(
                self._url, json=call.body, headers=headers, timeout=timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            self._count("calls")
            self._count("failed_calls")
            was_sent = not isinstance(error, requests.ConnectTimeout)
            kind = Kind.UNCERTAIN if call.is_mutation and was_sent else Kind.TEMPORARY
            said = {"operation": call.name, "cost": None, "wait": round(waited, 3), "status": None, "request_id": ""}
            log.warning("shopify.call", extra={**self._store.log_ids, **said, "error": type(error).__name__})
            raise ShopifyError(kind, f"Shopify could not be reached ({type(error).__name__}).") from None

    def _count(self, what: str, amount: float = 1) -> None:
        if amount:
            counters.add(f"shopify.{what}", self._store.name, amount)

    def _log(self, answer: requests.Response, name: str, cost: answers.Cost, waited: float) -> None:
        self._count("calls")
        self._count("failed_calls", answer.status_code >= 500)
        self._count("cost_points", cost.actual or 0)
        self.served_version = answer.headers.get("X-Shopify-API-Version", self._store.version)
        log.info(
            "shopify.call",
            extra={
                **self._store.log_ids,
                "operation": name,
                "status": answer.status_code,
                "cost": cost.actual,
                "wait": round(waited, 3),
                "request_id": answer.headers.get("X-Request-Id", ""),
                "milliseconds": int(answer.elapsed.total_seconds() * 1000),
            },
        )
        if self.served_version != self._store.version:
            versions = {"asked": self._store.version, "served": self.served_version}
            log.warning("shopify.other_version", extra={**self._store.log_ids, **versions})
