"""One mail as it arrived."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from html import unescape

URL = re.compile(r"https?://[^\s<>\"']+")
HREF = re.compile(r"href\s*=\s*[\"'](https?://[^\"']+)[\"']", re.IGNORECASE)


@dataclass(frozen=True)
class Mail:
    """Keep a mail with its envelope."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def message(self) -> EmailMessage:
        """Return the parsed message."""
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def subject(self) -> str:
        """Return the subject."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """Return the plain text part."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """Return the HTML part."""
        return self._part("html")

    @property
    def links(self) -> list[str]:
        """Return every web address in the mail once, those of the HTML part first."""
        found = [unescape(address) for address in HREF.findall(self.html)]
        found += [address.rstrip(".,;:!?)") for address in URL.findall(self.text)]
        return list(dict.fromkeys(found))

    def as_dict(self) -> dict:
        """Return what a script wants to know."""
        return {
            "number": self.number,
            "received_at": self.received_at.isoformat(),
            "subject": self.subject,
            "from": str(self.message["From"] or ""),
            "to": str(self.message["To"] or ""),
            "envelope": {"from": self.sender, "to": list(self.recipients)},
            "headers": [[name, str(value)] for name, value in self.message.items()],
            "text": self.text,
            "html": self.html,
            "links": self.links,
        }

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return part.get_content() if part else ""
