"""Whose personal data is meant, and how its words are taken out of texts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from integrations.models import AccountShopify

REMOVED = "[removed]"
_SHORTEST = 3  # a name of two letters alone would take the letters out of other words' company
_STRONG = 6


@dataclass(frozen=True)
class Subject:
    """A customer of a store, or with no customer id the whole store, as things stood at `asked_at`."""

    account: AccountShopify
    asked_at: datetime
    customer_id: int | None = None
    order_ids: tuple[int, ...] = ()
    contacts: tuple[str, ...] = ()

    @property
    def is_store(self) -> bool:
        return self.customer_id is None and not self.order_ids


@dataclass(frozen=True)
class Known:
    """What identifies the subject in rows that no id ties to it: the ids of its orders, and its words."""

    order_ids: frozenset[int] = frozenset()
    words: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def telling(self) -> list[str]:
        """The words that name one person: an address, a number, a full name; not a first name alone."""
        return [word for word in self.words if len(word) >= _STRONG and re.search(r"[\s@\d]", word)]


def scrub(text: str, words: Iterable[str]) -> str:
    """Replace each of the words in a text, whole words only and whatever their case."""
    found = sorted({word for word in words if len(word) >= _SHORTEST}, key=len, reverse=True)
    for start in range(0, len(found), 500) if text else ():
        pattern = "|".join(re.escape(word) for word in found[start : start + 500])
        text = re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", REMOVED, text, flags=re.IGNORECASE)
    return text
