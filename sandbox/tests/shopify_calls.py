"""What the tests of the sandbox's Shopify do over HTTP: install, ask, receive."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from sandbox.shopify import ShopifySandbox, give_consent

CALLBACK = "http://127.0.0.1:8000/shopify/callback/"
SCOPES = "read_orders,read_products,read_locations,read_customers"
CLIENT = ("app-1", "hush")


def furnished(sandbox: ShopifySandbox) -> ShopifySandbox:
    """Register one app and open one shop."""
    sandbox.add_app(*CLIENT, [CALLBACK])
    sandbox.add_shop("demo")
    return sandbox


def authorize_url(sandbox: ShopifySandbox, **changes: str) -> str:
    """Return an install link."""
    query = {"client_id": CLIENT[0], "scope": SCOPES, "redirect_uri": CALLBACK, "state": "s.1-2_3"} | changes
    return f"{sandbox.url}/shops/demo/admin/oauth/authorize?{urlencode(query)}"


def consented(sandbox: ShopifySandbox, **options: object) -> dict[str, str]:
    """Give consent and return the query that the app gets."""
    location = give_consent(authorize_url(sandbox), **options)
    assert location.startswith(CALLBACK + "?")
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))


def exchange(sandbox: ShopifySandbox, code: str, **changes: str) -> requests.Response:
    """Post a code to the token endpoint."""
    body = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "code": code} | changes
    return requests.post(f"{sandbox.url}/shops/demo/admin/oauth/access_token", data=body, timeout=5)


def ask(sandbox: ShopifySandbox, token: str, document: str, **variables: object) -> requests.Response:
    """Send a GraphQL document."""
    return requests.post(
        f"{sandbox.url}/shops/demo/admin/api/2026-10/graphql.json",
        json={"query": document, "variables": variables},
        headers={"X-Shopify-Access-Token": token},
        timeout=5,
    )


class Receiver:
    """An app's webhook address: keeps what arrives, answers with the statuses it was given, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self._statuses = list(statuses)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *details: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Keep one request and return the status to answer."""
        with self._lock:
            self.received.append((headers, body))
            return self._statuses.pop(0) if self._statuses else 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(dict(self.headers.items()), body)
                self.send_response(status)
                self.send_header("Location", receiver.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Stay silent."""

        return Handler
