"""An account's token in the admin: how long it lasts, what Shopify refuses, and what staff can do about it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from hemi.lib import badges, confirmation
from integrations import problems
from integrations.admin import secrets
from integrations.models import AccountShopify, Integration
from integrations.services import account_tokens
from integrations.services.refusals import Refused
from integrations.shopify import domains

REFUSALS = {
    "get_token": account_tokens.why_not_get,
    "move_to_expiring": account_tokens.why_not_move,
    "move_to_expiring_tokens": account_tokens.why_not_move,
}
_SHORT = {  # the whole sentence would not fit into a list
    AccountShopify.Problem.REAUTHORISE: "Authorise again",
    AccountShopify.Problem.SCOPE: "Scope missing",
    AccountShopify.Problem.PROTECTED: "Data not approved",
    AccountShopify.Problem.TOKEN_KIND: "Token refused",
    AccountShopify.Problem.NO_TOKEN: "No new token",
}
_IRREVERSIBLE = (
    "Shopify replaces the token by one that lasts an hour and that Hemi renews; the old one is revoked. The client "
    "has nothing to do. This cannot be undone: if anything but Hemi uses the old token, it stops working."
)

_MOVE_MANY = confirmation.Question("Move these accounts to an expiring token?", _IRREVERSIBLE, "Move for good")


@dataclass(frozen=True)
class Pasted:
    """What the store said about a token that a person pasted: its scopes, or why it is not taken."""

    granted_scopes: str = ""
    refusal: str = ""


class AccountTokens:
    """Mixin for the account's page, before its buttons in the bases."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict | None = None
    ) -> Any:
        # Before Django opens its transaction: the store is asked, and nothing may wait for that with a lock.
        if request.method == "POST":
            request.pasted_token = self._check_pasted(request, object_id)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: AccountShopify | None = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        form.pasted = getattr(request, "pasted_token", None)
        return form

    def _check_pasted(self, request: HttpRequest, object_id: str | None) -> Pasted | None:
        token = request.POST.get("access_token", "").strip()
        obj = self.get_object(request, object_id) if object_id else None
        may_type = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not secrets.ONE_WORD.fullmatch(token) or request.POST.get("clear_access_token") or not may_type:
            return None  # nothing was pasted, or the form itself says what is wrong
        try:
            account = _as_typed(request, obj, is_settled="shop_name" in self.get_readonly_fields(request, obj))
            return Pasted(account_tokens.check(account=account, token=token))
        except Refused as refused:
            return Pasted(refusal=str(refused))
        except ValueError:
            return None

    @display(description="token")
    def token_state(self, account: AccountShopify) -> str:
        if not account.access_token:
            return "None"
        if account.token_expires_at is None:
            return "Does not expire; asked to be moved" if account.expiring_asked_at else "Does not expire"
        until = f"Until {account.token_expires_at:%Y-%m-%d %H:%M} UTC"
        if account.refresh_expires_at is None:
            return f"{until}; Hemi asks for the next one by client id and secret"
        return f"{until}; Hemi renews it, at the latest by {account.refresh_expires_at:%Y-%m-%d}"

    @display(description="problem", ordering="problem")
    def shown_problem(self, account: AccountShopify) -> str:
        if not account.problem:
            return "None"
        since = f"{account.problem_at:%Y-%m-%d %H:%M} UTC" if account.problem_at else ""
        return format_html(
            '{}<span class="block mt-2">{} since {}. Shopify said: {}</span><strong class="block mt-2">{}</strong>',
            problem_badge(account),
            account.get_problem_display(),
            since,
            account.problem_text,
            problems.WHAT_NEXT[AccountShopify.Problem(account.problem)],
        )

    @action(
        description="Get a token now",
        permissions=["install"],
        dialog={
            "title": "Ask Shopify for a token?",
            "description": "Hemi asks with the app's client id and secret. It does so by itself, too, before each "
            "token's 24 hours are over.",
            "form_submit_text": "Ask",
        },
    )
    def get_token(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for a token by client credentials."""
        done = "Shopify is asked within seconds; reload this page to see the answer."
        return self.ask(request, object_id, account_tokens.get, done)

    @action(
        description="Move to an expiring token",
        permissions=["install"],
        dialog={
            "title": "Move this account to an expiring token?",
            "description": _IRREVERSIBLE,
            "form_submit_text": "Move for good",
        },
    )
    def move_to_expiring(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Exchange the lasting token for one that expires."""
        done = "The token is moved within seconds; see the timeline of this account."
        return self.ask(request, object_id, account_tokens.move, done)

    @action(description="Move to an expiring token", permissions=["install"])
    def move_to_expiring_tokens(
        self, request: HttpRequest, queryset: QuerySet[AccountShopify]
    ) -> TemplateResponse | None:
        """Exchange the lasting tokens of the chosen accounts, once a person has read what that means."""
        if not confirmation.is_given(request):
            return confirmation.page(request, self, queryset, _MOVE_MANY)
        self.ask_for_rows(request, queryset, "move_to_expiring_tokens", account_tokens.move, "{count} to be moved.")
        return None


def problem_badge(account: AccountShopify) -> SafeString:
    """Show the account's problem in two words."""
    return badges.badge(_SHORT[AccountShopify.Problem(account.problem)], "danger")


def _as_typed(request: HttpRequest, obj: AccountShopify | None, *, is_settled: bool) -> AccountShopify:
    """Return the account as the form would make it, unsaved. Raises ValueError for what the form will refuse."""
    typed = request.POST.get("integration", "")
    integration = Integration.objects.filter(pk=int(typed)).first() if typed else None
    name = obj.shop_name if obj and is_settled else domains.normalise(request.POST.get("shop_name", ""))
    return AccountShopify(shop_name=name, integration=integration)
