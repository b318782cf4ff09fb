"""The sandbox's Shopify as a real HTTP server on loopback."""

import re
import threading
from typing import Self

from sandbox.shopify.consent import decide, open_install_link, show
from sandbox.shopify.control import CONTROL_ROUTES
from sandbox.shopify.core import Behaviour, Core
from sandbox.shopify.graphql_api import graphql
from sandbox.shopify.tokens import access_token
from sandbox.shopify.web import Route, WebServer

_SHOP = "/shops/(?P<shop>[a-z0-9][a-z0-9-]*)/admin"
_ROUTES: list[Route] = [
    ("GET", re.compile(f"{_SHOP}/oauth/authorize"), show),
    ("POST", re.compile(f"{_SHOP}/oauth/authorize"), decide),
    ("GET", re.compile(f"{_SHOP}/oauth/install_custom_app"), open_install_link),
    ("POST", re.compile(f"{_SHOP}/oauth/access_token"), access_token),
    ("POST", re.compile(rf"{_SHOP}/api/(?P<version>[^/]+)/graphql\.json"), graphql),
    *CONTROL_ROUTES,
]


class ShopifySandbox(Core):
    """A Shopify to talk to; as many as one likes in a process, each with a port of its own."""

    def __init__(self, port: int = 0, behaviour: Behaviour | None = None) -> None:
        super().__init__(behaviour)
        self.port = port
        self._server: WebServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the server; known once it has started."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def shop_url_template(self) -> str:
        """What Hemi's setting SHOPIFY_SHOP_URL must be."""
        return f"{self.url}/shops/{{shop}}"

    def start(self) -> Self:
        """Open the port and start sending webhooks; after a stop, on the same port and with all that was known."""
        self.stopping.clear()
        self._server = WebServer(self.port, _ROUTES, self)
        self.port = self._server.server_address[1]
        # The default half second between looks for a stop would be spent at the end of every test.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.webhooks.start()
        return self

    def stop(self) -> None:
        """Close the port, cut open connections, stop sending webhooks."""
        if self._server is None or self._thread is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.cut()
        self.webhooks.stop()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *details: object) -> None:
        self.stop()
