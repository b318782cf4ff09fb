"""A mailbox: an SMTP server that takes every mail, and a page to read them."""

import threading
from html import escape
from pathlib import Path
from typing import Self

from sandbox.mail import Mail
from sandbox.smtp import SmtpServer
from sandbox.sockets import HOST
from sandbox.web import Answer, BadRequest, Request, WebServer, as_json, page


class Mailbox:
    """Keep the mails that arrive, in memory and, with a folder, as .eml files too."""

    def __init__(self, smtp_port: int = 0, http_port: int = 0, folder: Path | None = None) -> None:
        self.folder = folder
        self.smtp = SmtpServer(self._deliver, smtp_port)
        self.web = WebServer(self._answer, http_port)
        self._mails: list[Mail] = []
        self._changed = threading.Condition()

    @property
    def smtp_url(self) -> str:
        """Return the SMTP server's address."""
        return f"smtp://{HOST}:{self.smtp.port}"

    @property
    def url(self) -> str:
        """Return the web page's address."""
        return self.web.url

    @property
    def mails(self) -> list[Mail]:
        """Return all mails, oldest first."""
        with self._changed:
            return list(self._mails)

    def start(self) -> Self:
        """Start both servers."""
        self.smtp.start()
        self.web.start()
        return self

    def stop(self) -> None:
        """Stop both servers; the mails stay."""
        self.smtp.stop()
        self.web.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def refuse_next(self, code: int = 550, text: str = "No such mailbox", times: int = 1) -> None:
        """Refuse the next recipients: 550 for good, 451 for now."""
        self.smtp.refuse_next(code, text, times)

    def wait_for(self, to: str = "", count: int = 1, timeout: float = 10.0) -> list[Mail]:
        """Return the mails to an address (or to anyone) once there are so many, or raise TimeoutError."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._to(to)) >= count, timeout)
            found = self._to(to)
        if len(found) < count:
            raise TimeoutError(f"{len(found)} of {count} mails to {to or 'anyone'} arrived in {timeout} s")
        return found

    def _to(self, address: str) -> list[Mail]:
        wanted = address.casefold()
        return [mail for mail in self._mails if not wanted or wanted in map(str.casefold, mail.recipients)]

    def _deliver(self, sender: str, recipients: list[str], content: bytes) -> None:
        with self._changed:
            mail = Mail(len(self._mails) + 1, sender, tuple(recipients), content)
            self._mails.append(mail)
            if self.folder:
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / f"{mail.number:05d}.eml").write_bytes(content)
            self._changed.notify_all()

    def _answer(self, request: Request) -> Answer:
        if request.path == "/":
            return _list_page(self.mails)
        if request.path == "/mails.json":
            return as_json([mail.as_dict() for mail in self.mails])
        number = request.path.removeprefix("/mail/")
        for mail in self.mails:
            if number == str(mail.number):
                return _mail_page(mail)
        raise BadRequest("There is no such mail. The list is at /.", 404)


def _list_page(mails: list[Mail]) -> Answer:
    rows = [
        f"<tr><td>{mail.received_at:%H:%M:%S}<td>{escape(', '.join(mail.recipients))}"
        f'<td><a href="/mail/{mail.number}">{escape(mail.subject) or "(no subject)"}</a>'
        for mail in reversed(mails)
    ]
    table = f"<table><tr><th>Time (UTC)<th>To<th>Subject{''.join(rows)}</table>"
    return page("Mailbox", table if rows else "<p>No mail has arrived yet. Reload this page to look again.")


def _mail_page(mail: Mail) -> Answer:
    links = "".join(
        f'<li><a href="{escape(link)}" target="_blank" rel="noopener">{escape(link)}</a>' for link in mail.links
    )
    # Scripts stay off; a click on a button in the mail opens a tab of its own.
    frame = (
        '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title="HTML part" width="100%" height="500"'
        f' srcdoc="{escape("<base target=_blank>" + mail.html)}"></iframe>'
    )
    parts = [
        f"<p>From {escape(str(mail.message['From'] or mail.sender))}<br>To {escape(', '.join(mail.recipients))}",
        f"<h2>Text</h2><pre>{escape(mail.text)}</pre>" if mail.text else "",
        f"<h2>HTML</h2>{frame}" if mail.html else "",
        f"<h2>Links</h2><ul>{links}</ul>" if links else "",
        '<p><a href="/">All mails</a>',
    ]
    return page(escape(mail.subject) or "(no subject)", "".join(parts))
