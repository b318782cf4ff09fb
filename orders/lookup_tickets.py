"""One-time tickets of the form that is sent to Hemi directly, where forms do not pass a shop's proxy.

What a ticket says is signed, so that showing a form writes nothing; only that a ticket was used is kept.
"""

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.models import UsedTicket

LIFE = timedelta(minutes=30)
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


def use(token: str) -> Ticket | None:
    """Return what a ticket says, once; None if it is old, used or not Hemi's."""
    try:
        *said, _ = signing.loads(token[:_LONGEST], salt=_SALT, max_age=LIFE)
    except signing.BadSignature:
        return None
    digest = hashlib.sha256(token.encode()).hexdigest()
    try:
        with transaction.atomic():
            UsedTicket.objects.create(digest=digest, expires_at=timezone.now() + LIFE)
    except IntegrityError:
        return None
    return Ticket(*said)


def expire() -> None:
    """Forget the used tickets that are too old to be taken anyway."""
    old = UsedTicket.objects.filter(expires_at__lt=timezone.now()).values_list("pk", flat=True)[:BATCH]
    UsedTicket.objects.filter(pk__in=list(old)).delete()
