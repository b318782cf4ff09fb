"""The sandbox's Shopify without its HTTP server: what a developer, a merchant and a buyer do there."""

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sandbox.shopify import scopes as scope_lists
from sandbox.shopify.buckets import Buckets
from sandbox.shopify.clock import Clock
from sandbox.shopify.contents import furnish
from sandbox.shopify.faults import Fault, Faults
from sandbox.shopify.fulfilment import Fulfilment
from sandbox.shopify.fulfilment_orders import FulfilmentOrders
from sandbox.shopify.lifecycle import Lifecycle
from sandbox.shopify.publishing import Publisher
from sandbox.shopify.sales import Sales
from sandbox.shopify.state import App, Grant, Shop, State
from sandbox.shopify.weather import Weather
from sandbox.shopify.webhooks import Delivery, Webhooks


@dataclass
class Behaviour:
    """The knobs of one sandbox; times in seconds."""

    seed: int = 1
    first_order_number: int = 1001
    retry_delays: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0)
    hang_seconds: float = 30.0
    access_seconds: float = 3600.0
    refresh_seconds: float = 7_776_000.0
    rotation: str = "window"  # or "until_used": what becomes of a refresh token that was used
    window_seconds: float = 30.0
    api_versions: tuple[str, ...] = ("2026-01", "2026-04", "2026-07", "2026-10")


class Core:
    """One Shopify: its rows, its faults and its webhooks."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self.state = State()
        self.clock = Clock()
        self.faults = Faults()
        self.stopping = threading.Event()
        self.buckets = Buckets()
        self.webhooks = Webhooks(self.behaviour.retry_delays)
        publisher = Publisher(self.state, self.webhooks, self.behaviour.api_versions[-1])
        self.subscribe, self.emit, self.repeat = publisher.subscribe, publisher.emit, publisher.repeat
        lifecycle = Lifecycle(self.state, publisher)
        self.uninstall, self.drop_subscriptions = lifecycle.uninstall, lifecycle.drop_subscriptions
        self.ask_for_data, self.redact_customer = lifecycle.ask_for_data, lifecycle.redact_customer
        self.redact_shop = lifecycle.redact_shop
        sales = Sales(self.state, publisher, self.behaviour.seed, self.behaviour.first_order_number)
        self.place_order, self.update_order = sales.place_order, sales.update_order
        self.pay_order, self.cancel_order = sales.pay_order, sales.cancel_order
        self.fulfilment_orders = FulfilmentOrders(self.state, publisher)
        self.fulfilment = Fulfilment(self.state, publisher, sales, self.fulfilment_orders)

    def add_app(self, client_id: str, client_secret: str, redirect_uris: Iterable[str] = (), name: str = "Hemi") -> App:
        """Register an app, or register it anew."""
        app = App(client_id, client_secret, list(redirect_uris), name)
        with self.state.lock:
            self.state.apps[client_id] = app
        return app

    def rotate_secret(self, client_id: str, new_secret: str, signs_with_old_secret: bool = False) -> None:
        """Give an app a new secret; the old one still buys tokens and may still sign."""
        with self.state.lock:
            app = self.state.apps[client_id]
            app.old_client_secret, app.client_secret = app.client_secret, new_secret
            app.signs_with_old_secret = signs_with_old_secret

    def add_shop(self, name: str, plan: str = "standard", currency: str = "EUR", collections: int = 30) -> Shop:
        """Open a shop with locations, collections and products."""
        shop = Shop(name, self.state.next_id(), plan, currency)
        furnish(shop, collections)
        with self.state.lock:
            self.state.shops[name] = shop
        return shop

    def install_link(self, client_id: str, shop: str) -> str:
        """Return the path of Shopify's own install link of a custom app for one shop."""
        return f"/shops/{shop}/admin/oauth/install_custom_app?client_id={client_id}"

    def rename_shop(self, name: str, new_name: str, keeps_old_address: bool = True) -> None:
        """Give a shop another permanent domain; its tokens and subscriptions go with it."""
        state = self.state
        with state.lock:
            shop = state.shops[name] if keeps_old_address else state.shops.pop(name)
            shop.name = new_name
            state.shops[new_name] = shop
            for grants in (state.codes, state.tokens):
                moved = {key: replace(grant, shop=new_name) for key, grant in grants.items() if grant.shop == name}
                grants.update(moved)
            for row in state.subscriptions.values():
                row.shop = new_name if row.shop == name else row.shop

    def issue_token(self, client_id: str, shop: str, scopes: Iterable[str], lifetime: float | None = None) -> str:
        """Make an access token without a consent, as an admin-made app has it; `lifetime` in seconds."""
        token = f"shpat_{secrets.token_hex(16)}"
        ends = None if lifetime is None else self.clock.now() + lifetime
        with self.state.lock:
            self.state.tokens[token] = Grant(client_id, shop, tuple(scope_lists.compress(scopes)), ends)
        return token

    def revoke_token(self, token: str) -> None:
        """Make a token worthless."""
        with self.state.lock:
            self.state.tokens.pop(token, None)

    def add_fault(
        self, kind: str, count: int = 1, place: str = "graphql", shop: str | None = None, operation: str = ""
    ) -> None:
        """Make the next `count` calls at `place` fail as `kind`, of one operation or of any; see faults.KINDS."""
        self.faults.add(Fault(kind, count, place, shop, operation))

    def set_weather(self, dropped: float = 0.0, doubled: float = 0.0, late_seconds: float = 0.0, seed: int = 1) -> None:
        """From now on lose and double these shares of the webhooks, and shuffle them by up to `late_seconds`."""
        self.webhooks.weather = Weather(dropped, doubled, late_seconds, seed)

    @property
    def deliveries(self) -> list[Delivery]:
        """All webhook deliveries so far, oldest first."""
        return list(self.webhooks.deliveries)

    def wait_idle(self, timeout: float = 10.0) -> bool:
        """Wait until no webhook is under way or due again; False when the time was too short."""
        return self.webhooks.wait_idle(timeout)
