"""A shopper's question after an order, by its number and mail address: answered, counted, and remembered."""

import logging
import unicodedata
from dataclasses import dataclass, field

from integrations.models import AccountShopline
from orders import lookup_limits, lookup_tickets, shoppers
from orders.models import Order

log = logging.getLogger(__name__)

LONGEST_NUMBER, LONGEST_EMAIL = 100, 320


@dataclass(frozen=True)
class Question:
    """What a shopper typed, and who is logged in; `may_link`: they are known to have asked by themselves."""

    shopline: AccountShopline
    customer_id: str
    number: str = field(repr=False)
    email: str = field(repr=False)
    may_link: bool


@dataclass(frozen=True)
class Answer:
    """The orders that are meant, and whether the customer is linked to them from now on."""

    orders: list[Order]
    is_linked: bool = False


def ask(question: Question) -> Answer:
    """Answer a question; with nothing if something is wrong, or was asked for too often.

    The same is counted and looked for in each case, so that neither answer nor time tells which it was.
    """
    shopline, customer_id = question.shopline, question.customer_id
    number, email = _number(question.number), _email(question.email)
    counted, is_free = lookup_limits.count(shopline, number=number, email=email, customer_id=customer_id)
    found = shoppers.find(shopline, number, email)
    if not (is_free and number and email and found):
        log.info("lookup.nothing", extra={**shopline.log_ids, "is_free": is_free})
        return Answer([])
    lookup_limits.give_back(counted)
    is_linked = bool(customer_id and question.may_link)
    if is_linked:
        shoppers.link(shopline, customer_id, found[0], email)
    log.info("lookup.found", extra={**shopline.log_ids, "order_id": found[0].pk, "linked": is_linked})
    return Answer(found, is_linked)


def expire() -> None:
    """Delete counts and used tickets whose time is over."""
    lookup_limits.expire()
    lookup_tickets.expire()


def _number(text: str) -> str:
    """Return a number without what stores write before it: each spelling counts as the same question."""
    return _plain(text, LONGEST_NUMBER).lstrip("#-> ")


def _email(text: str) -> str:
    found = _plain(text, LONGEST_EMAIL).lower()
    return found if "@" in found else ""


def _plain(text: str, longest: int) -> str:
    """Return text as it is meant: keyboards of the far east type wide letters and digits."""
    found = unicodedata.normalize("NFKC", text).strip()
    return found if found.isprintable() and len(found) <= longest else ""
