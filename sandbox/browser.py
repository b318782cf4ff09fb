"""A person in front of a browser, without the browser: opens pages, fills forms, presses buttons."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urljoin

import requests
from lxml import html

TIMEOUT_SECONDS = 30  # a page may wait for a store


class PageError(Exception):
    """The page is not what a person would need to go on; the message says what it showed."""


@dataclass
class Page:
    """A page that was shown."""

    url: str
    status: int
    content: bytes
    content_type: str

    @property
    def root(self) -> Any:
        """The parsed page."""
        return html.fromstring(self.content.decode("utf-8"), base_url=self.url)

    @property
    def text(self) -> str:
        """What stands on the page, without scripts, in one line."""
        root = self.root
        for element in root.xpath("//script | //style | //template"):
            element.drop_tree()
        return " ".join(root.text_content().split())

    def form(self, fragment: str = "") -> Any:
        """Return the form with this text in its action, id or class, or the last form that posts."""
        forms = [form for form in self.root.forms if form.method == "POST"]
        named = [form for form in forms if fragment in f"{form.action} {form.get('id')} {form.get('class')}"]
        if not named:
            raise PageError(f"There is no form on {self.url}: {self.text[:300]}")
        return named[-1]


class Browser:
    """Keeps cookies, reaches only what it is told to."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.session.close()

    def open(self, url: str, **headers: str) -> Page:
        """Open an address and follow where it leads."""
        return self._page(self.session.get(url, headers=headers, timeout=TIMEOUT_SECONDS))

    def submit(self, page: Page, form: Any, values: dict[str, Any], **headers: str) -> Page:
        """Send a form with its own values and these on top; a list sends a field several times, None leaves it out."""
        fields = [(name, value) for name, value in form.form_values() if name not in values]
        for name, value in values.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    fields.append((name, str(one)))
        target = urljoin(page.url, form.get("hx-post") or form.action or page.url)
        headers = {"Referer": page.url, **headers}
        return self._page(self.session.post(target, data=fields, headers=headers, timeout=TIMEOUT_SECONDS))

    def _page(self, answer: requests.Response) -> Page:
        if answer.headers.get("HX-Redirect"):
            return self.open(urljoin(answer.url, answer.headers["HX-Redirect"]))
        content_type = answer.headers.get("Content-Type", "")
        page = Page(answer.url, answer.status_code, answer.content, content_type)
        if not answer.ok:
            raise PageError(f"{answer.url.split('?')[0]} answered {answer.status_code}: {page.text[:300]}")
        return page
