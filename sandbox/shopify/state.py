"""What this Shopify remembers: apps, shops, codes, tokens, subscriptions. One instance per sandbox."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class App:
    """An app as its developer registered it."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: list[str] = field(default_factory=list)
    name: str = "Hemi"
    old_client_secret: str = field(default="", repr=False)
    signs_with_old_secret: bool = False
    organisation_shops: set[str] = field(default_factory=set)  # where client credentials are enough
    released_scopes: list[str] = field(default_factory=list)
    refuses_lasting_tokens: bool = False  # what public apps meet from 2027 on
    is_approved_for_customers: bool = True
    app_url: str = ""  # opened after Shopify's own install link
    needs_install_link: bool = False  # custom distribution: an authorize address comes second

    @property
    def signing_secret(self) -> str:
        """The secret digests use now; for a while after a rotation it may be the old one."""
        return self.old_client_secret if self.signs_with_old_secret else self.client_secret


@dataclass
class Shop:
    """A store with its contents; orders by id, in the shape that webhooks carry."""

    name: str
    id: int
    plan: str = "standard"
    currency: str = "EUR"
    timezone: str = "Europe/Berlin"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    locations: list[dict] = field(default_factory=list)
    collections: list[dict] = field(default_factory=list)
    products: list[dict] = field(default_factory=list)
    orders: dict[int, dict] = field(default_factory=dict)
    fulfilment_orders: dict[int, list[dict]] = field(default_factory=dict)  # by order
    confirmations: list[dict] = field(default_factory=list)  # the mails that tell buyers of a shipment

    @property
    def domain(self) -> str:
        """The permanent host name."""
        return f"{self.name}.myshopify.com"


@dataclass(frozen=True)
class Grant:
    """What an app may do in a shop: scopes, behind a code first and then behind a token."""

    client_id: str
    shop: str
    scopes: tuple[str, ...]
    expires_at: float | None = None


@dataclass
class RefreshToken:
    """What renews a pair: until when, in place of which, and what its use gave."""

    grant: Grant
    expires_at: float
    predecessor: str = ""
    used_at: float | None = None
    answer: dict = field(default_factory=dict, repr=False)


@dataclass
class Subscription:
    """A webhook subscription of one shop, or of every shop of an app when `shop` is None."""

    id: int
    shop: str | None
    topic: str
    uri: str
    client_id: str = ""
    secret: str = field(default="", repr=False)
    api_version: str = "2026-10"
    name: str | None = None
    filter: str | None = None
    include_fields: list[str] = field(default_factory=list)
    metafield_namespaces: list[str] = field(default_factory=list)
    failures: int = 0  # attempts in a row that were not answered with 2xx
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class State:
    """All rows of one sandbox, and the lock that guards them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.apps: dict[str, App] = {}
        self.shops: dict[str, Shop] = {}
        self.codes: dict[str, Grant] = {}
        self.tokens: dict[str, Grant] = {}
        self.refresh_tokens: dict[str, RefreshToken] = {}
        self.moved_tokens: dict[str, tuple[float, dict]] = {}
        self.token_requests: list[str] = []  # the grant types that were asked for, whatever the answer
        self.opened: set[tuple[str, str]] = set()  # (client id, shop) whose install link was followed
        self.subscriptions: dict[int, Subscription] = {}
        self._last_id = 0

    def next_id(self) -> int:
        """Return an id that no other row of this sandbox has."""
        with self.lock:
            self._last_id += 1
            return 1_000_000_000 + self._last_id

    def is_installed(self, client_id: str, shop: str) -> bool:
        """Say whether the app holds a token of the shop."""
        with self.lock:
            return any(grant.client_id == client_id and grant.shop == shop for grant in self.tokens.values())
