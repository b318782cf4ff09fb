"""Where the story plays: the addresses of everybody, and what the players have learnt so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import requests

from sandbox.staff import Staff

LIMIT_SECONDS = 60  # for what happens by itself: the mail, the token, a file, a reply
PAUSE_SECONDS = 0.2
SHOP, CLIENT_ID, CLIENT_MAIL = "aurora-goods", "demo-client-id", "owner@aurora-goods.example"
CLIENT_SECRET = "demo-client-secret"
_Found = TypeVar("_Found")


class StoryFailed(Exception):
    """Something is not as it should be; the message says what was seen."""


@dataclass(frozen=True)
class Login:
    """A user of the admin."""

    user: str
    password: str = field(repr=False)


@dataclass
class Stage:
    """`world` is the sandbox's description, `schema` the XSD of the order files, `folder` the sandbox's data."""

    hemi: str
    login: Login
    world: dict
    schema: Path
    folder: Path
    staff: Staff = field(init=False)
    pages: dict[str, str] = field(default_factory=dict)  # what was made in the admin -> its page
    authorize_url: str = ""
    orders: list[dict] = field(default_factory=list)  # as the store has them
    delivered: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.staff = Staff(self.hemi)

    def key(self, name: str) -> str:
        """Return the primary key of what was made under this name."""
        return self.pages[name].split("/change/")[0].rpartition("/")[2]

    def do(self, path: str, **body: Any) -> dict:
        """Do at the sandbox's Shopify what a developer, a merchant or a buyer does by hand."""
        return _ask("POST", f"{self.world['shopify']['url']}/control/{path}", body)

    def see(self, path: str) -> dict:
        """Look at what is there in the sandbox's Shopify."""
        return _ask("GET", f"{self.world['shopify']['url']}/control/{path}")

    def supplier(self, name: str) -> dict:
        """Return what a supplier says that it got."""
        return _ask("GET", f"{self.world['control']['url']}/suppliers/{name}/orders.json")

    def tell_supplier(self, name: str, action: str, **body: Any) -> dict:
        """Do at a supplier what its staff do by hand."""
        return _ask("POST", f"{self.world['control']['url']}/suppliers/{name}/{action}", body)

    def mails(self) -> list[dict]:
        """Return all mails, as the mailbox's page has them."""
        return _ask("GET", f"{self.world['mailbox']['url']}/mails.json")


def until(what: str, look: Callable[[], _Found], seconds: float = LIMIT_SECONDS) -> _Found:
    """Look again and again until there is something, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise StoryFailed(f"Waited {seconds:.0f} s in vain for {what}.")
        time.sleep(PAUSE_SECONDS)
    return found


def expect(condition: object, otherwise: str) -> None:
    """Fail the step with a sentence unless the condition holds."""
    if not condition:
        raise StoryFailed(otherwise)


def _ask(method: str, url: str, body: dict | None = None) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(method, url, json=body, timeout=10)
    expect(answer.ok, f"{url} answered {answer.status_code}: {answer.text[:200]}")
    return answer.json()
