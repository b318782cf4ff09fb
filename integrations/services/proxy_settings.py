"""What staff may do with the App Proxy settings of a SHOPLINE account: save them, submit, approve, reject.

What is in force changes by an approval only, and an approval is of exactly what was submitted.
"""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations import shopline_timeline
from integrations.models import AccountShopline
from integrations.services.refusals import Refused

State = AccountShopline.State
_MEANWHILE = "The settings were changed or submitted again since you opened this. Look at them once more."
_LABELS = {field.name: str(field.verbose_name) for field in AccountShopline._meta.fields}
_DECISION = ("state", "state_reason", "decided_at", "decided_by")
_SUBMISSION = (*_DECISION, "submitted_settings", "submitted_at", "submitted_by")
_IN_FORCE = ("live_prefix", "live_subpath", "live_proxy_url")
_REASON_MOST = AccountShopline._meta.get_field("state_reason").max_length


def locked(account: AccountShopline) -> AccountShopline:
    """Return the account's row under its lock; call it inside a transaction. Raises Refused."""
    row = AccountShopline.objects.select_for_update(no_key=True).filter(pk=account.pk).first()
    if row is None:
        raise Refused("The account was deleted.")
    return row


def address(asked: tuple[str, str, str]) -> str:
    """Return prefix, subpath and Proxy URL as one line for people."""
    prefix, subpath, proxy_url = asked
    return f"/{prefix}/{subpath} → {proxy_url}" if subpath else ""


def mark(account: AccountShopline) -> str:
    """Return what tells one submission from every other; blank where none waits."""
    if account.state != State.SUBMITTED:
        return ""
    what = json.dumps([*account.submitted_settings, str(account.submitted_at and account.submitted_at.isoformat())])
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def create(*, account: AccountShopline, by: Any) -> None:
    """Store a new account, without a secret."""
    with transaction.atomic():
        account.save()
        shopline_timeline.record(account, "created", "The account was made.", actor=by)


def save(*, account: AccountShopline, fields: set[str], by: Any) -> bool:
    """Store the `fields` that a form changed; return whether the settings went back to draft by it. Raises Refused.

    What is in force stays so, whatever is changed here.
    """
    with transaction.atomic():
        row = locked(account)
        asked, words = row.waiting, {name: _word(row, name) for name in fields}
        for name in fields:
            setattr(row, name, getattr(account, name))
        is_reopened = row.waiting != asked and _reopen(row)
        row.save(update_fields={*fields, *_SUBMISSION})
        for name in sorted(fields):
            change = (words[name], _word(row, name))
            shopline_timeline.record(row, "changed", f"Changed: {_LABELS[name]}.", change=change, actor=by)
        if is_reopened:
            text = f"The App Proxy settings are now: {row.get_state_display()}."
            shopline_timeline.record(row, "reopened", text, change=(address(asked), address(row.waiting)), actor=by)
    account.refresh_from_db()
    return is_reopened and row.state == State.DRAFT


def why_not_submit(account: AccountShopline) -> str:
    """Return why the settings cannot be submitted, in one sentence; blank if they can."""
    if not account.release_subpath:
        return "The release version has no subpath: enter the app id or the SEO slug on the tab App Proxy."
    if not account.proxy_url and not settings.HEMI_BASE_URL:
        return "There is no Proxy URL: enter one on the tab App Proxy, or set HEMI_BASE_URL."
    if account.state == State.SUBMITTED and tuple(account.submitted_settings) == account.waiting:
        return "The settings are submitted already and wait for approval."
    return "What is in force is what the settings say: nothing waits." if account.waiting == account.in_force else ""


def submit(*, account: AccountShopline, by: Any) -> None:
    """Ask for the settings to be approved as they are now. Raises Refused."""
    with transaction.atomic():
        row = locked(account)
        if reason := why_not_submit(row):
            raise Refused(reason)
        row.state, row.state_reason = State.SUBMITTED, ""
        row.submitted_settings, row.submitted_at, row.submitted_by = list(row.waiting), timezone.now(), by
        row.decided_at = row.decided_by = None
        row.save(update_fields=_SUBMISSION)
        change = (address(row.in_force), address(row.waiting))
        shopline_timeline.record(row, "submitted", "Submitted for approval.", change=change, actor=by)


def why_not_decide(account: AccountShopline) -> str:
    """Return why there is nothing to approve or reject, in one sentence; blank if there is."""
    if account.state != State.SUBMITTED:
        return "Nothing waits for approval: the settings must be submitted first."
    if tuple(account.submitted_settings) != account.waiting:
        return "The settings changed after they were submitted. They must be submitted again."
    return ""


def approve(*, account: AccountShopline, seen: str, by: Any) -> None:
    """Put into force exactly what was submitted and `seen` (a `mark`). Raises Refused."""
    with transaction.atomic():
        row = _decidable(account, seen)
        former = address(row.in_force)
        row.live_prefix, row.live_subpath, row.live_proxy_url = row.submitted_settings
        row.state, row.decided_at, row.decided_by = State.APPROVED, timezone.now(), by
        row.save(update_fields=[*_DECISION, *_IN_FORCE])
        change = (former, address(row.in_force))
        shopline_timeline.record(row, "approved", "Approved: in force from now on.", change=change, actor=by)


def reject(*, account: AccountShopline, seen: str, reason: str, by: Any) -> None:
    """Turn down what was submitted and `seen` (a `mark`); what is in force stays so. Raises Refused."""
    if not reason.strip():
        raise Refused("Give a reason; whoever looks next will want to know.")
    with transaction.atomic():
        row = _decidable(account, seen)
        row.state, row.state_reason = State.REJECTED, reason.strip()[:_REASON_MOST]
        row.decided_at, row.decided_by = timezone.now(), by
        row.save(update_fields=_DECISION)
        change = (address(row.in_force), address(row.waiting))
        shopline_timeline.record(row, "rejected", f"Rejected: {row.state_reason}", change=change, actor=by)


def _decidable(account: AccountShopline, seen: str) -> AccountShopline:
    row = locked(account)
    if reason := why_not_decide(row):
        raise Refused(reason)
    if not seen or seen != mark(row):
        raise Refused(_MEANWHILE)
    return row


def _reopen(row: AccountShopline) -> bool:
    """Take the settings out of approval because they changed; say whether their state is another now."""
    former = row.state
    # Changed back to what is in force: that was approved, and nothing waits.
    row.state = State.APPROVED if row.waiting == row.in_force else State.DRAFT
    row.state_reason, row.submitted_settings = "", []
    row.submitted_at = row.submitted_by = row.decided_at = row.decided_by = None
    return row.state != former


def _word(row: AccountShopline, name: str) -> str:
    """Return a setting as the timeline shows it."""
    value = getattr(row, name)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
