"""How often shoppers may ask for an order. Every shopper comes from the proxy's address, so addresses say nothing."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from integrations.models import AccountShopline
from orders.models import LookupCount

WINDOW = timedelta(hours=1)
# Who knows a mail address can try ten numbers an hour, who knows a number ten addresses; the merchant's own limit is
# for those who guess both, and so high that nobody shuts out a shop's shoppers in passing.
MOST = {"merchant": 1000, "order": 10, "email": 10, "customer": 30}
BATCH = 1000


def count(shopline: AccountShopline, *, number: str, email: str, customer_id: str) -> tuple[list[str], bool]:
    """Count one question; return what was counted, and whether all of it was within the limits."""
    subjects = {"merchant": "all", "order": number.upper().casefold(), "email": email, "customer": customer_id}
    keys = {kind: _key(shopline, kind, value) for kind, value in subjects.items() if value}
    with transaction.atomic():
        # In one order, or two questions could wait for each other.
        reached = {key: _count_one(key) for key in sorted(keys.values())}
    return list(keys.values()), all(reached[key] <= MOST[kind] for kind, key in keys.items())


def give_back(keys: list[str]) -> None:
    """Take back a count: whoever was told an order may follow it as often as they like."""
    with transaction.atomic():
        for key in sorted(keys):
            LookupCount.objects.filter(key=key, count__gt=0).update(count=F("count") - 1)


def expire() -> None:
    """Delete the counts whose window is over."""
    old = LookupCount.objects.filter(ends_at__lt=timezone.now()).values_list("pk", flat=True)[:BATCH]
    LookupCount.objects.filter(pk__in=list(old)).delete()


def _key(shopline: AccountShopline, kind: str, value: str) -> str:
    window = int(timezone.now().timestamp() // WINDOW.total_seconds())
    said = "\0".join((str(shopline.pk), kind, value, str(window)))
    return salted_hmac("orders.lookup_limits", said, algorithm="sha256").hexdigest()


def _count_one(key: str) -> int:
    rows = LookupCount.objects.filter(key=key)
    if not rows.update(count=F("count") + 1):
        try:
            with transaction.atomic():
                LookupCount.objects.create(key=key, count=1, ends_at=timezone.now() + WINDOW)
        except IntegrityError:  # somebody else's first question, at the same moment
            rows.update(count=F("count") + 1)
    return rows.values_list("count", flat=True).get()
