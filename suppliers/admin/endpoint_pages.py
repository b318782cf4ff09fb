"""How an endpoint's state, identity and profile are shown."""

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from hemi.lib import badges
from hemi.lib.links import breakable, link_to
from suppliers import naming, profiles
from suppliers.models import Delivery, Endpoint, EndpointCheck

Protocol = Endpoint.Protocol


def with_waiting(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Add how many files wait at each endpoint, and since when."""
    files = Delivery.objects.filter(endpoint=OuterRef("pk"), status=Delivery.Status.DUE).order_by().values("endpoint")
    return endpoints.annotate(
        waiting_files=Subquery(files.annotate(count=Count("pk")).values("count")),
        oldest_at=Subquery(files.annotate(oldest=Min("created_at")).values("oldest")),
    )


def state(endpoint: Endpoint) -> SafeString:
    """Show whether files go out, and why not."""
    text, tone = _state(endpoint)
    mark = badges.badge(text, tone)
    if endpoint.is_exposed and endpoint.is_active:
        return format_html("{} {}", mark, badges.badge("Not protected", "warning"))
    return mark


def waiting(endpoint: Endpoint) -> str:
    """Say how many files wait and how old the oldest is."""
    if not endpoint.waiting_files:
        return "–"
    return f"{endpoint.waiting_files:,}, the oldest {timesince(endpoint.oldest_at, depth=1)}"


def identity(endpoint: Endpoint) -> SafeString | str:
    """Show the confirmed identity, beside it one that the server showed since."""
    if endpoint.protocol == Protocol.FTP:
        return "Plain FTP does not tell who the server is."
    if not endpoint.needs_identity:
        return _confirmed(endpoint)
    if not endpoint.offered_identity:
        return "Not seen yet. Press Test connection: Hemi then shows it here and sends nothing before it is confirmed."
    rows = [("Shown by the server", endpoint.offered_identity)]
    if endpoint.host_identity:
        rows.insert(0, ("Confirmed before", endpoint.host_identity))
    body = format_html_join("", "<div><b>{}</b><br>{}</div>", ((title, breakable(text)) for title, text in rows))
    return format_html(
        '<div style="display:flex;flex-wrap:wrap;gap:8px 24px">{}</div><p>Ask the supplier for the SHA-256 fingerprint '
        "of its {} and compare. Until it is confirmed Hemi sends nothing, not even the password.</p>",
        body,
        "host key" if endpoint.protocol == Protocol.SFTP else "certificate",
    )


def found(endpoint: Endpoint) -> SafeString | str:
    """Say what the last test found."""
    told = profiles.sentences(endpoint)
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((text,) for text in told))) if told else "–"


def last_test(endpoint: Endpoint) -> SafeString | str:
    """Link to the last test."""
    check = endpoint.checks.first()
    if check is None:
        return "Not tested yet"
    at = date_format(timezone.localtime(check.created_at), "SHORT_DATETIME_FORMAT")
    return format_html("{} {}", outcome(check), link_to(check, at))


def outcome(check: EndpointCheck) -> SafeString:
    """Show how a test ended, or that it is still on."""
    status = EndpointCheck.Status
    tone = {status.PASSED: "success", status.FAILED: "danger"}.get(status(check.status), "info")
    return badges.badge(check.get_status_display(), tone)


def suppliers(endpoint: Endpoint) -> SafeString | str:
    """Link to the suppliers that share it."""
    rows = [(link_to(supplier),) for supplier in endpoint.suppliers.all()]
    return format_html_join(", ", "{}", rows) or "None yet: choose it on a supplier's page."


def names(endpoint: Endpoint) -> SafeString | str:
    """Show what a file is called on its way and at its end."""
    try:
        naming.check(endpoint)
    except naming.InvalidName as fault:
        return str(fault)
    final = naming.example(endpoint)
    first = naming.temporary_name(endpoint, final, "4f1c09ab27de")
    done = naming.done_name(endpoint, final)
    then = f", then the empty file {done}" if done else ""
    return format_html("{} is renamed to {}{}.", breakable(first), breakable(final), breakable(then))


def _state(endpoint: Endpoint) -> tuple[str, str]:
    if not endpoint.is_active:
        return "Inactive", "default"
    if endpoint.closed_at:
        return "Closed by a restore", "danger"
    if endpoint.needs_identity:
        return "Identity to confirm", "danger" if endpoint.stopped_at else "warning"
    if endpoint.stopped_at:
        return "Stopped", "danger"
    if endpoint.opened_at and endpoint.next_attempt_at > timezone.now():
        return f"Left alone until {timezone.localtime(endpoint.next_attempt_at):%H:%M}", "warning"
    if endpoint.opened_at:
        return "Trying one file", "warning"
    return ("In use", "success") if endpoint.profiled_at else ("Not checked yet", "info")


def _confirmed(endpoint: Endpoint) -> SafeString | str:
    if not endpoint.host_identity:
        return "The usual authorities vouch for its certificate."
    if not endpoint.identity_confirmed_at:
        return breakable(endpoint.host_identity)
    at = date_format(timezone.localtime(endpoint.identity_confirmed_at), "SHORT_DATETIME_FORMAT")
    by = endpoint.identity_confirmed_by or "somebody"
    return format_html("{}<br>Confirmed {} by {}.", breakable(endpoint.host_identity), at, by)
