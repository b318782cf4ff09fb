"""A client in front of the consent page: opens the link, ticks, presses a button."""

from collections.abc import Iterable
from html.parser import HTMLParser

import requests

_TIMEOUT_SECONDS = 10


class ConsentFailed(Exception):
    """The page was not a consent page; the message is what it said."""


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "input":
            self.fields.append((values.get("name") or "", values.get("value") or ""))


def follow(url: str) -> str:
    """Open an address; return where it leads to, without going there."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, allow_redirects=False, timeout=_TIMEOUT_SECONDS)
    if answer.status_code != 302:
        raise ConsentFailed(answer.text)
    return answer.headers["Location"]


def give_consent(authorize_url: str, without: Iterable[str] = (), decision: str = "install") -> str:
    """Open an install link, untick the scopes in `without`, press a button; return the address to be sent back to."""
    with requests.Session() as session:
        session.trust_env = False
        page = session.get(authorize_url, timeout=_TIMEOUT_SECONDS)
        if page.status_code != 200:
            raise ConsentFailed(page.text)
        form = _Form()
        form.feed(page.text)
        left_out = {("scope", scope) for scope in without}
        fields = [field for field in form.fields if field not in left_out] + [("decision", decision)]
        target = authorize_url.split("?")[0]
        answer = session.post(target, data=fields, allow_redirects=False, timeout=_TIMEOUT_SECONDS)
    if answer.status_code != 302:
        raise ConsentFailed(answer.text)
    return answer.headers["Location"]
