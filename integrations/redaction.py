"""Remove people's data from what stores posted, from alerts, and from the account of a store that left."""

import json
from typing import Any

from django.db import connection
from django.db.models import BinaryField, F, Func, IntegerField, Q, QuerySet, Value
from django.utils import timezone

from hemi.lib import changes, erasure
from integrations import body_redaction
from integrations.models import (
    AccountEvent,
    AccountShopify,
    InstallLink,
    Location,
    PrivacyRequest,
    StaffAlert,
    WebhookEvent,
)
from integrations.subjects import REMOVED, Known, Subject, scrub

_NOTE = "The customer's data was removed."


def unsettled(subject: Subject) -> list[str]:
    """Say what speaks against removing a store's data: that it is connected again."""
    if not subject.is_store:
        return []
    subject.account.refresh_from_db(fields=["access_token"])
    if not subject.account.is_authorised:
        return []
    return ["The store is connected (again). Disconnect it if its data is to go."]


def redact(subject: Subject, known: Known) -> dict[str, int]:
    """Remove the subject's data from webhooks, alerts, earlier answers; of a store also its own contacts."""
    counts = {"webhooks": _events(subject, known), "answers": _answers(subject)}
    words = set(known.telling)
    if subject.is_store and not subject.account.is_authorised:  # one that came back has given its contacts anew
        words |= (contacts := _contacts(subject.account))
        counts["contacts of the store"] = _forget(subject.account, contacts)
    return {**counts, "alerts": _alerts(words)}


def strip(event: WebhookEvent) -> None:
    """Take the person out of one webhook, also out of what went wrong with it."""
    body = body_redaction.without_person(bytes(event.body))
    now = timezone.now()
    with erasure.thorough():
        WebhookEvent.objects.filter(pk=event.pk).update(body=body, redacted_at=now, note=_NOTE, last_error="")


def holdings(subject: Subject, known: Known) -> dict[str, Any]:
    """Return the webhooks that Hemi holds about the subject, as they came."""
    return {"webhooks": [_shown(event) for event in events(subject, known)]}


def events(subject: Subject, known: Known) -> list[WebhookEvent]:
    """Return the webhooks that speak of the subject and were not redacted yet."""
    rows = WebhookEvent.objects.filter(account=subject.account, redacted_at=None).order_by("pk")
    if subject.is_store:
        return list(rows.filter(received_at__lte=subject.asked_at))
    ids = {*known.order_ids, subject.customer_id or 0} - {0}
    contacts = [text for text in known.telling if "@" in text]
    found = _with(rows, [*map(str, ids), *contacts])
    return [event for event in found if _is_about(event, subject, known, contacts)]


def _with(rows: QuerySet[WebhookEvent], needles: list[str]) -> list[WebhookEvent]:
    """Let the database look for the texts first, so that only few bodies are read."""
    found: dict[int, WebhookEvent] = {}
    for start in range(0, len(needles), 20):
        wanted = Q()
        for place, needle in enumerate(needles[start : start + 20]):
            rows = rows.annotate(**{f"place_{place}": _place(needle)})
            wanted |= Q(**{f"place_{place}__gt": 0})
        found |= {event.pk: event for event in rows.filter(wanted)}
    return list(found.values())


def _place(needle: str) -> Func:
    value = Value(needle.encode(), output_field=BinaryField())
    name = "instr" if connection.vendor == "sqlite" else "position"
    template = "%(function)s(%(expressions)s)"
    if name == "position":
        return Func(value, F("body"), function=name, template=template, arg_joiner=" IN ", output_field=IntegerField())
    return Func(F("body"), value, function=name, template=template, output_field=IntegerField())


def _is_about(event: WebhookEvent, subject: Subject, known: Known, contacts: list[str]) -> bool:
    body = bytes(event.body)
    if body_redaction.mentions(body, known.order_ids):
        return True
    # What came after the request may be a new order of the same customer, which must still be sent.
    is_early = event.received_at <= subject.asked_at
    names_customer = subject.customer_id is not None and body_redaction.mentions(body, [subject.customer_id])
    return is_early and (names_customer or any(text.encode() in body for text in contacts))


def _events(subject: Subject, known: Known) -> int:
    found = events(subject, known)
    for event in found:
        strip(event)
    return len(found)


def _alerts(words: set[str]) -> int:
    count = 0
    for alert in StaffAlert.objects.all().iterator():
        before = (alert.subject, alert.text, alert.last_error)
        after = tuple(scrub(text, words) for text in before)
        if after != before:
            alert.subject, alert.text, alert.last_error = after[0][:200], *after[1:]
            alert.save(update_fields=["subject", "text", "last_error"])
            count += 1
    return count


def _answers(subject: Subject) -> int:
    rows = PrivacyRequest.objects.filter(shop_name__in=subject.account.names).exclude(answer=None)
    if not subject.is_store:
        rows = rows.filter(customer_id=subject.customer_id)
    return rows.update(answer=None, status=PrivacyRequest.Status.DONE, done_at=timezone.now())


def _contacts(account: AccountShopify) -> set[str]:
    mailed = InstallLink.objects.filter(account=account).values_list("mailed_to", flat=True)
    return {account.client_email, *mailed} - {""}


def _forget(account: AccountShopify, words: set[str]) -> int:
    links = InstallLink.objects.filter(account=account)
    count = links.exclude(mailed_to="", mail_error="").update(mailed_to="", mail_error="")
    for event in AccountEvent.objects.filter(account=account):
        if (text := scrub(event.text, words)) != event.text:
            AccountEvent.objects.filter(pk=event.pk).update(text=text)
            count += 1
    account.client_email = ""
    account.save(update_fields=["client_email"])
    count += changes.erase(account, "client_email")
    return count + Location.objects.filter(account=account).update(name=REMOVED, address="")


def _shown(event: WebhookEvent) -> dict[str, Any]:
    body = bytes(event.body)
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = body.decode("utf-8", "replace")
    return {"topic": event.topic, "received_at": event.received_at, "body": said}
