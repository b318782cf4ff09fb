"""Compare the scopes that a store granted with those asked, and with those that Hemi's own documents need."""

from dataclasses import dataclass

from integrations import account_timeline, alerts, problems, scopes
from integrations.models import AccountShopify
from integrations.shopify import stores
from integrations.shopify.client import GraphQL


@dataclass(frozen=True)
class Comparison:
    """What the store grants, and what is missing of what was asked and of what Hemi needs."""

    granted: tuple[str, ...]
    not_asked_for: tuple[str, ...]  # needed, and not in the account's list
    missing: tuple[str, ...]  # asked and not granted
    missing_needed: tuple[str, ...]  # Hemi cannot do its work without them


def compare(account: AccountShopify, client: GraphQL) -> Comparison:
    """Read the scopes of the installed app and keep them; tell staff once what is missing. Raises ShopifyError."""
    found = measure(account, stores.installation(client).scopes)
    row = AccountShopify.objects.get(pk=account.pk)
    # The answer that brings a token lists the same scopes in another order, and without those that others imply.
    if scopes.expand(scopes.split(row.granted_scopes)) != scopes.expand(list(found.granted)):
        AccountShopify.objects.filter(pk=account.pk).update(granted_scopes=",".join(found.granted))
        lacking = ", ".join(found.missing_needed)
        text = f"The app has {len(found.granted)} access scopes now."
        account_timeline.record(account, "scopes", f"{text} Hemi needs and lacks: {lacking}." if lacking else text)
    tell(account, found)
    return found


def measure(account: AccountShopify, granted: tuple[str, ...]) -> Comparison:
    """Compare what is granted with what the account asks for, and with what Hemi needs."""
    text = ",".join(granted)
    needed = ",".join(scopes.NEEDED)
    return Comparison(
        granted,
        tuple(scopes.missing(needed, account.access_scopes)),
        tuple(scopes.missing(account.access_scopes, text)),
        tuple(scopes.missing(needed, text)),
    )


def tell(account: AccountShopify, found: Comparison) -> None:
    """Tell staff what is missing, again if that changed; and that it is over. Safe inside a transaction."""
    # An internal app has the scopes that its owner gave it; the account's list was asked of nobody.
    is_internal = account.integration is not None and account.integration.is_internal
    missing = found.missing_needed if is_internal else dict.fromkeys((*found.missing_needed, *found.missing))
    if not missing:
        alerts.clear_alert("scopes", account.pk)
        if account.problem == AccountShopify.Problem.SCOPE:
            problems.clear(account.pk)
        return
    lacking = [handle for handle in found.missing_needed if handle in found.not_asked_for]
    first = f"Put {', '.join(lacking)} into the account's Access Scopes. " if lacking else ""
    without = f"Hemi cannot do its work without: {', '.join(found.missing_needed)}\n\n" if found.missing_needed else ""
    text = (
        f"These access scopes are missing on {account.shop_name}:\n\n{chr(10).join(missing)}\n\n{without}"
        f"{first}Check that the app itself has them, then ask the client for them with a new install link; or take "
        "those that are not needed off the account's Access Scopes."
    )
    alerts.renew_alert("scopes", account.pk, f"{account.shop_name} lacks access scopes", text)
