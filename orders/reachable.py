"""Which accounts can be asked for their orders."""

from django.db.models import Q

from integrations.models import AccountShopify

# Without a token, or with one that only the client can renew, a call would but be refused.
REACHABLE = ~Q(access_token="") & Q(disconnected_at=None) & ~Q(problem=AccountShopify.Problem.REAUTHORISE)  # noqa: S106


def why_not(account: AccountShopify) -> str:
    """Return why the store cannot be asked for orders, in one sentence; blank if it can."""
    if account.disconnected_at:
        return "The store is disconnected. Send a new install link first."
    if not account.is_authorised:
        return "The store is not connected: the account has no access token."
    if account.problem == AccountShopify.Problem.REAUTHORISE:
        return "The client must authorise again before the store can be asked. Send a new install link."
    return ""
