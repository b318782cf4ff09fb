"""Tickets of the shoppers' form: whose page it was on.

A form that is sent to Hemi directly, where forms do not pass a shop's proxy, is believed by its ticket alone, once.
One that came through the proxy is believed by the signature; its ticket shows that the shopper sent it from the shop's
page, and not another site in their name. What a ticket says is signed, so that showing a form writes nothing.
"""

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.models import UsedTicket

LIFE = timedelta(minutes=30)  # of one that is used up
_DAY = timedelta(days=1)
BATCH = 1000
_SALT = "orders.lookup_tickets"
_LONGEST = 2000


@dataclass(frozen=True)
class Ticket:
    """Whose form it is: what the shop's signature said when the form was shown."""

    merchant_id: str
    customer_id: str
    language: str
    is_development: bool


def issue(ticket: Ticket) -> str:
    """Return a ticket as it stands in a form."""
    return signing.dumps([*asdict(ticket).values(), secrets.token_urlsafe(9)], salt=_SALT)


def read(token: str, max_age: timedelta = _DAY) -> Ticket | None:
    """Return what a ticket says; None if it is old or not Hemi's."""
    try:
        *said, _ = signing.loads(token[:_LONGEST], salt=_SALT, max_age=max_age)
    except signing.BadSignature:
        return None
    return Ticket(*said)


def use(token: str) -> Ticket | None:
    """Return what a ticket says, once; None if it is old, used or not Hemi's."""
    ticket = read(token, LIFE)
    if ticket is None:
        return None
    digest = hashlib.sha256(token.encode()).hexdigest()
    try:
        with transaction.atomic():
            UsedTicket.objects.create(digest=digest, expires_at=timezone.now() + LIFE)
    except IntegrityError:
        return None
    return ticket


def expire() -> None:
    """Forget the used tickets that are too old to be taken anyway."""
    old = UsedTicket.objects.filter(expires_at__lt=timezone.now()).values_list("pk", flat=True)[:BATCH]
    UsedTicket.objects.filter(pk__in=list(old)).delete()
