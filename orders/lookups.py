"""A shopper's question after an order, by its number and mail address: answered, counted, and remembered."""

import logging
import unicodedata

from integrations.models import AccountShopline
from orders import lookup_limits, lookup_tickets, shoppers
from orders.models import Order

log = logging.getLogger(__name__)

LONGEST_NUMBER, LONGEST_EMAIL = 100, 320


def ask(shopline: AccountShopline, *, customer_id: str, number: str, email: str) -> list[Order]:
    """Return the orders that are meant; none if something is wrong, or was asked for too often.

    The same is counted and looked for in each case, so that neither answer nor time tells which it was.
    """
    number, email = _number(number), _email(email)
    counted, is_free = lookup_limits.count(shopline, number=number, email=email, customer_id=customer_id)
    found = shoppers.find(shopline, number, email)
    if not (is_free and number and email and found):
        log.info("lookup.nothing", extra={**shopline.log_ids, "is_free": is_free})
        return []
    lookup_limits.give_back(counted)
    if customer_id:
        shoppers.link(shopline, customer_id, found, email)
    log.info("lookup.found", extra={**shopline.log_ids, "order_id": found[0].pk, "linked": bool(customer_id)})
    return found


def expire() -> None:
    """Delete counts and used tickets whose time is over."""
    lookup_limits.expire()
    lookup_tickets.expire()


def _number(text: str) -> str:
    return _plain(text, LONGEST_NUMBER).removeprefix("->").removeprefix("#").strip()


def _email(text: str) -> str:
    found = _plain(text, LONGEST_EMAIL).lower()
    return found if "@" in found else ""


def _plain(text: str, longest: int) -> str:
    """Return text as it is meant: keyboards of the far east type wide letters and digits."""
    found = unicodedata.normalize("NFKC", text).strip()
    return found if found.isprintable() and len(found) <= longest else ""
