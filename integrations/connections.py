"""The way from an account to its store."""

from dataclasses import dataclass

from django.conf import settings

from integrations import problems, token_grants, tokens
from integrations.models import AccountShopify
from integrations.shopify.client import DEADLINE_SECONDS, GraphQL, Pace, Store
from integrations.shopify.errors import Kind, ShopifyError


@dataclass
class _Keeper:
    """Renews the account's token for a call that was refused, and keeps what the store would not give."""

    account: AccountShopify

    def renew(self, refused: str) -> str:
        return tokens.fresh_token(self.account, refused=refused, interactive=True)

    def note(self, operation: str, error: ShopifyError | None) -> None:
        if error is not None:
            if error.kind == Kind.FORBIDDEN:
                problems.note(self.account.pk, error)
        elif self.account.problem:
            self._settle(operation)

    def _settle(self, operation: str) -> None:
        """Take a problem off that the account had before: its token works, or that very operation does.

        Where a token is renewed, that the old one still works says nothing: the next one ends the problem.
        """
        is_renewed = token_grants.way(self.account) != token_grants.Way.NONE
        is_renewal = is_renewed and self.account.problem != AccountShopify.Problem.TOKEN_KIND
        is_token = self.account.problem in problems.OF_THE_TOKEN and not is_renewal
        if is_token or self.account.problem_text.startswith(f"{operation}: "):
            problems.clear(self.account.pk)
            self.account.problem = AccountShopify.Problem.NONE


def shop_url(account: AccountShopify) -> str:
    """Return where the store's admin and API are."""
    return account.store_url


def client_for(
    account: AccountShopify, deadline_seconds: float = DEADLINE_SECONDS, *, interactive: bool = False
) -> GraphQL:
    """Return a client of the store's API with a fresh token; raises ShopifyError without one. A context manager.

    `interactive` is for what a person waits for: it goes before the rest, and asks even where Shopify refused before.
    """
    token = tokens.fresh_token(account, interactive=interactive)
    return GraphQL(store_of(account), token, pace=Pace(deadline_seconds, interactive), keeper=_Keeper(account))


def store_of(account: AccountShopify) -> Store:
    """Return the account's store as the client knows it."""
    version = account.integration.version if account.integration else settings.SHOPIFY_API_VERSION
    return Store(account.store_url, version, account.shop_name, str(account.integration_id or ""), account.pk)
