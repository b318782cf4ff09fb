"""What a store's API refuses until a person does something: kept on the account, told once, with what to do next."""

from django.db import transaction
from django.utils import timezone

from integrations import account_timeline, alerts
from integrations.models import AccountShopify
from integrations.shopify.errors import Denial, Kind, ShopifyError

Problem = AccountShopify.Problem
OF_THE_TOKEN = (Problem.REAUTHORISE, Problem.NO_TOKEN, Problem.TOKEN_KIND)  # over as soon as a token works
_OF_A_CALL = (Problem.SCOPE, Problem.PROTECTED)  # two calls may meet one each, and would tell staff in turn for ever
WHAT_NEXT = {
    Problem.REAUTHORISE: "Send the client a new install link. For an internal app, paste a new access token instead.",
    Problem.SCOPE: "Put the scope that Shopify names into the account's Access Scopes and send the client a new "
    "install link; for an internal app, add it to the app itself.",
    Problem.PROTECTED: "Open the app in Shopify's Partner Dashboard, choose API access requests, and request access "
    "to protected customer data with name, address, phone and e-mail. Then wait for Shopify's approval.",
    Problem.TOKEN_KIND: "Choose “Move to an expiring token” on the account. If that is refused, send the client a "
    "new install link.",
    Problem.NO_TOKEN: "Check the client id and the client secret of the integration. For an app of the client's "
    "organisation, check too that it is installed in this store and belongs to the same organisation. Hemi tries "
    "again by itself.",
}
_OF_DENIAL = {
    Denial.SCOPE: Problem.SCOPE,
    Denial.PROTECTED: Problem.PROTECTED,
    Denial.TOKEN_KIND: Problem.TOKEN_KIND,
}


def note(account_id: int, error: ShopifyError) -> None:
    """Keep what the error says about the account, if it is of the kind that needs a person."""
    problem = _OF_DENIAL.get(error.denial)
    if error.kind == Kind.REAUTHORISE:
        problem = Problem.REAUTHORISE
    if problem:
        said = f"{error.operation}: {error.message}" if error.operation else error.message
        say(account_id, problem, said)


def say(account_id: int, problem: AccountShopify.Problem, text: str, *, seen_version: int | None = None) -> bool:
    """Set the account's problem and tell staff once; with `seen_version` only while that token is the stored one.

    Of those that one call meets and another does not, the first stays until it is over.
    """
    rows = AccountShopify.objects.filter(pk=account_id)
    if seen_version is not None:
        rows = rows.filter(token_version=seen_version)
    text = text[:500]
    standing = _OF_A_CALL if problem in _OF_A_CALL else (problem,)
    with transaction.atomic():
        changed = rows.exclude(problem__in=standing)
        if not changed.update(problem=problem, problem_text=text, problem_at=timezone.now()):
            same = rows.filter(problem=problem).exclude(problem_text=text)
            return bool(same.update(problem_text=text))
        _end_alerts(account_id, but=problem)
        account = AccountShopify.objects.get(pk=account_id)
        account_timeline.record(account, f"problem_{problem}", f"{problem.label}. {text}")
        subject = f"{account.shop_name}: {problem.label}"
        alerts.raise_alert(_alert(problem), account_id, subject, f"{problem.label}.\n\n{text}\n\n{WHAT_NEXT[problem]}")
    return True


def clear(account_id: int, because: str = "What Shopify refused works again.") -> None:
    """Take the account's problem off; the timeline says why."""
    with transaction.atomic():
        rows = AccountShopify.objects.filter(pk=account_id).exclude(problem=Problem.NONE)
        if rows.update(problem=Problem.NONE, problem_text="", problem_at=None):
            _end_alerts(account_id)
            account = AccountShopify.objects.get(pk=account_id)
            account_timeline.record(account, "problem_over", because)


def _end_alerts(account_id: int, but: str = "") -> None:
    for problem in Problem.values:
        if problem and problem != but:
            alerts.clear_alert(_alert(problem), account_id)


def _alert(problem: str) -> str:
    return f"problem_{problem}"
