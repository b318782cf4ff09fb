"""A store that was renamed, told by staff: most are followed by themselves, but not one without a token."""

from typing import Any

from integrations import renames
from integrations.models import AccountShopify
from integrations.services.refusals import Refused
from integrations.shopify import domains


def rename(*, account: AccountShopify, name: str, by: Any) -> None:
    """Follow the store to its new name: as it says itself if it is connected, otherwise as this person says.

    Raises Refused.
    """
    try:
        new = domains.normalise(name)
    except ValueError as error:
        raise Refused(str(error)) from None
    if new == account.shop_name:
        raise Refused(f"The account is called {new} already.")
    if account.is_authorised:
        if not renames.check(account, new):
            raise Refused(f"The store itself does not say that it is called {new} now, so nothing was changed.")
    elif not renames.believe(account, new, by):
        raise Refused(f"There is an account {new} already, so nothing was changed. See the staff alerts.")
