"""Signatures of storefront requests that changed something: each serves once."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.models import AccountShopline, UsedSignature
from integrations.shopline import signatures

# A timestamp may lie ahead by as much as it may lie back, and is fresh until both are over.
_KEPT = timedelta(seconds=2 * signatures.NEAR_SECONDS + 60)


def use(account: AccountShopline, signature: str) -> bool:
    """Take a signature; say whether it was not used before."""
    try:
        with transaction.atomic():
            UsedSignature.objects.create(account=account, signature=signature, expires_at=timezone.now() + _KEPT)
    except IntegrityError:
        return False
    return True


def forget() -> None:
    """Delete the signatures whose timestamps are refused by now."""
    UsedSignature.objects.filter(expires_at__lte=timezone.now()).delete()
