"""A member of staff who works in the admin as people do: by its forms, lists and buttons."""

import re
from typing import Any
from urllib.parse import quote, urljoin

from sandbox.browser import Browser, Page, PageError


class Staff(Browser):
    """Logged in to the admin at `base`."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base.rstrip("/")

    def log_in(self, user: str, password: str) -> Page:
        """Log in; PageError if the admin does not let us."""
        page = self.open(f"{self.base}/admin/login/")
        page = self.submit(page, page.form(), {"username": user, "password": password, "next": "/admin/"})
        if "/login" in page.url:
            raise PageError(f"The login was refused: {page.text[:200]}")
        return page

    def add(self, model: str, **fields: Any) -> str:
        """Fill in and save the form for a new `model` (app/name); return the address of its page."""
        page = self.open(f"{self.base}/admin/{model}/add/")
        page = self._save(page, fields)
        found = re.search(rf"/admin/{model}/(\d+)/change/", page.url)
        if not found:
            raise PageError(f"{model} was not saved: {faults(page)}")
        return page.url

    def change(self, url: str, **fields: Any) -> Page:
        """Change fields on an object's page and save it."""
        return self._save(self.open(url), fields)

    def press(self, url: str, label: str, **fields: Any) -> Page:
        """Press a button of an object's page, by its label; fill in and send the dialog if it opens one.

        PageError if the button is off, or if what it leads to shows an error.
        """
        button = self._button(self.open(url), label)
        if button.get("aria-disabled"):
            raise PageError(f"The button “{label}” is off: {button.get('title')}")
        target = button.get("hx-get")
        if not target:
            return self.open(urljoin(url, button.get("href")))
        dialog = self.open(urljoin(url, target), HX_Request="true")
        if dialog.url == url:
            return dialog
        form = dialog.form()
        page = self.submit(dialog, form, fields, **{"HX-Request": "true"})
        if page.root.xpath("//*[@id='dialog-form'] | //*[contains(@class, 'errornote')]"):
            raise PageError(f"“{label}” on {url} did not work: {faults(page)}")
        return page

    def find(self, model: str, text: str) -> str:
        """Return the address of the one object of `model` that a search for `text` shows."""
        page = self.open(f"{self.base}/admin/{model}/?q={quote(text)}")
        found = {link for link in page.root.xpath("//a/@href") if re.search(rf"/{model}/\d+/change/", link)}
        if len(found) != 1:
            raise PageError(f"A search for {text} among {model} shows {len(found)} instead of one.")
        return urljoin(page.url, found.pop().split("?")[0])

    def _save(self, page: Page, fields: dict[str, Any]) -> Page:
        form = page.form("_form")
        unknown = set(fields) - set(form.fields.keys())
        if unknown:
            raise PageError(f"The form on {page.url} has no field {', '.join(sorted(unknown))}.")
        return self.submit(page, form, {**fields, "_continue": "1"})

    def _button(self, page: Page, label: str) -> Any:
        for link in page.root.xpath("//a[@href or @hx-get]"):
            words = link.xpath("./text() | ./span[not(contains(@class, 'material-symbols'))]/text()")
            if "".join(words).strip() == label:
                return link
        raise PageError(f"There is no button “{label}” on {page.url}")


def faults(page: Page) -> str:
    """Return what a form says is wrong."""
    texts = page.root.xpath("//*[contains(@class, 'errornote') or contains(@class, 'errorlist')]")
    return " ".join(" ".join(text.text_content().split()) for text in texts) or page.text[:300]
