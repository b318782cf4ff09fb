"""The front page: what needs a person, and how today is going. No count goes beyond its cap, whatever the size."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from integrations.models import AccountShopify, AccountShopline, InstallLink, PrivacyRequest, StaffAlert, WebhookEvent
from orders.models import Order, Shipment
from suppliers import overdue
from suppliers.models import Amendment, Delivery, Endpoint, Supplier, SupplierOrder, SupplierReply

MOST = 100  # of a kind that needs attention
MOST_TODAY = 10_000

_UNREAD = [status.value for status in SupplierReply.OPEN]
_REFUSED = [problem.value for problem in AccountShopify.Problem if problem.value]
_NEWER_LINK = InstallLink.objects.filter(account=OuterRef("account"), pk__gt=OuterRef("pk"))


@dataclass(frozen=True)
class Need:
    """A kind of thing that waits for a person: its rows, what to do, and the list that shows them."""

    title: str
    advice: str
    rows: Callable[[], QuerySet | list]
    model: type[Model]
    query: str
    tone: str = "warning"


NEEDS = [
    Need(
        "Lines that no supplier makes",
        "No rule takes them, or their supplier rejects them: mend a rule and route again, or send them by hand.",
        lambda: Order.objects.exclude(attention=""),
        Order,
        "attention=lines",
        "danger",
    ),
    Need(
        "Documents that cannot be made",
        "Open the part, mend what it names, and have the document made again.",
        lambda: SupplierOrder.objects.filter(status=SupplierOrder.Status.BLOCKED),
        SupplierOrder,
        f"status__exact={SupplierOrder.Status.BLOCKED}",
        "danger",
    ),
    Need(
        "Rejected by a supplier",
        "Read the supplier's reason, then talk to the supplier or send the lines elsewhere.",
        lambda: SupplierOrder.objects.filter(status=SupplierOrder.Status.REJECTED).exclude(attention=""),
        SupplierOrder,
        f"status__exact={SupplierOrder.Status.REJECTED}&attention=yes",
        "danger",
    ),
    Need(
        "Parts to look at",
        "Something happened after the file was made; each says what.",
        lambda: SupplierOrder.objects.exclude(attention="").exclude(status__in=SupplierOrder.TROUBLED),
        SupplierOrder,
        "attention=changed",
    ),
    Need(
        "Cancelled in the store, alive at the supplier",
        "Send the cancellation, or tell the supplier and settle it.",
        lambda: Amendment.objects.filter(status=Amendment.Status.OPEN, is_cancellation=True),
        Amendment,
        f"status__exact={Amendment.Status.OPEN}",
        "danger",
    ),
    Need(
        "Deliveries given up",
        "Mend the endpoint, then press Retry now.",
        lambda: Delivery.objects.filter(status=Delivery.Status.DEAD),
        Delivery,
        f"status__exact={Delivery.Status.DEAD}",
        "danger",
    ),
    Need(
        "Uncertain deliveries",
        "Ask the supplier whether the file arrived, then settle it.",
        lambda: Delivery.objects.filter(status=Delivery.Status.UNCERTAIN),
        Delivery,
        f"status__exact={Delivery.Status.UNCERTAIN}",
        "danger",
    ),
    Need(
        "Stopped endpoints",
        "Mend what it says, test the connection, and restart it.",
        lambda: Endpoint.objects.exclude(stopped_at=None),
        Endpoint,
        "stopped_at__isnull=0",
        "danger",
    ),
    Need(
        "Outboxes that a restore closed",
        "Wait until orders were fetched again, then open each; Hemi looks up what was sent before.",
        lambda: Endpoint.objects.exclude(closed_at=None),
        Endpoint,
        "closed_at__isnull=0",
        "danger",
    ),
    Need(
        "Overdue replies",
        "Ask the supplier whether it has the files.",
        overdue.rows,
        SupplierOrder,
        "reply=overdue",
    ),
    Need(
        "Replies without an order",
        "Match each to its order, mend what keeps it from being read and read it again, or settle it.",
        lambda: SupplierReply.objects.filter(status__in=_UNREAD),
        SupplierReply,
        f"status__in={','.join(_UNREAD)}",
    ),
    Need(
        "Shipments that the store does not know of",
        "Each says what stands against it in the store, and what to do.",
        lambda: Shipment.objects.filter(status=Shipment.Status.BLOCKED),
        Shipment,
        f"status__exact={Shipment.Status.BLOCKED}",
        "danger",
    ),
    Need(
        "Held back by the source name filter",
        "Release those that should go out after all.",
        lambda: Order.objects.filter(state=Order.State.FILTERED),
        Order,
        f"state__exact={Order.State.FILTERED}",
    ),
    Need(
        "Accounts whose webhooks failed",
        "No orders come in from these stores until it is mended.",
        lambda: AccountShopify.objects.filter(webhooks=AccountShopify.Webhooks.FAILED),
        AccountShopify,
        f"webhooks__exact={AccountShopify.Webhooks.FAILED}",
        "danger",
    ),
    Need(
        "Privacy requests",
        "Give the store what Hemi gathered, or see what holds a removal up; each says until when.",
        lambda: PrivacyRequest.objects.filter(status=PrivacyRequest.Status.WAITING),
        PrivacyRequest,
        f"status__exact={PrivacyRequest.Status.WAITING}",
        "danger",
    ),
    Need(
        "Stores whose API refuses Hemi",
        "Each account says what Shopify refuses and what to do about it.",
        lambda: AccountShopify.objects.filter(problem__in=_REFUSED),
        AccountShopify,
        f"problem__in={','.join(_REFUSED)}",
        "danger",
    ),
    Need(
        "Installs that failed",
        "Read the reason, then send the client a new link.",
        lambda: InstallLink.objects.filter(~Exists(_NEWER_LINK), status=InstallLink.Status.FAILED),
        InstallLink,
        f"status__exact={InstallLink.Status.FAILED}",
    ),
    Need(
        "Install links that expired unused",
        "The client did not follow the link. Ask whether the mail arrived, then send a new one.",
        lambda: InstallLink.objects.filter(
            ~Exists(_NEWER_LINK), status=InstallLink.Status.EXPIRED, account__access_token=""
        ),
        InstallLink,
        f"status__exact={InstallLink.Status.EXPIRED}",
    ),
    Need(
        "Stores that came by themselves",
        "Give each a client; until then nothing of theirs goes out.",
        lambda: AccountShopify.objects.filter(is_unclaimed=True),
        AccountShopify,
        "is_unclaimed__exact=1",
    ),
    Need(
        "App Proxy settings that wait for approval",
        "Compare what is in force with what waits, then approve or reject.",
        lambda: AccountShopline.objects.filter(state=AccountShopline.State.SUBMITTED),
        AccountShopline,
        f"state__exact={AccountShopline.State.SUBMITTED}",
        "info",
    ),
    Need(
        "App Proxy settings that were rejected",
        "Read the reason, then change them and submit them again, or change them back to what is in force.",
        lambda: AccountShopline.objects.filter(state=AccountShopline.State.REJECTED),
        AccountShopline,
        f"state__exact={AccountShopline.State.REJECTED}",
        "info",
    ),
    Need(
        "Open staff alerts",
        "What was mailed to staff and is not over yet.",
        lambda: StaffAlert.objects.filter(cleared_at=None),
        StaffAlert,
        "cleared_at__isnull=1",
    ),
    Need(
        "Paused suppliers",
        "Their files are kept here until you resume.",
        lambda: Supplier.objects.exclude(paused_at=None),
        Supplier,
        "paused_at__isnull=0",
    ),
    Need(
        "Paused accounts",
        "Their orders are kept here until you resume.",
        lambda: AccountShopify.objects.exclude(paused_at=None),
        AccountShopify,
        "paused_at__isnull=0",
    ),
    Need(
        "Endpoints in plain FTP",
        "Password and orders can be read on the way. Ask the supplier for a protected connection.",
        lambda: [endpoint for endpoint in Endpoint.objects.filter(is_active=True) if endpoint.is_exposed],
        Endpoint,
        "is_active__exact=1",
    ),
]


def counts() -> Iterable[tuple[str, int]]:
    """Yield how many of each kind need a person, one more than MOST at most."""
    for need in NEEDS:
        rows = need.rows()
        yield need.title, len(rows) if isinstance(rows, list) else rows.order_by()[: MOST + 1].count()


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the user of `request` may see to the front page."""
    visible = {model for model, page in admin.site._registry.items() if page.has_view_permission(request)}
    context["needs"] = list(_needs(visible))
    context["today"] = list(_today(visible))
    context["may_see_something"] = bool(visible)
    return context


def _needs(visible: set[type[Model]]) -> Iterable[dict[str, Any]]:
    for need in NEEDS:
        if need.model in visible and (count := _count(need.rows(), MOST)):
            link = f"{_list_of(need.model)}?{need.query}"
            yield {"title": need.title, "advice": need.advice, "count": count, "link": link, "tone": need.tone}


def _today(visible: set[type[Model]]) -> Iterable[dict[str, str]]:
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    day = f"{midnight:%Y-%m-%d}"
    flow = [
        ("Orders placed", Order.objects.filter(placed_at__gte=midnight), f"placed_at_from={day}"),
        ("Files sent", Delivery.objects.filter(sent_at__gte=midnight), "status__exact=sent"),
        ("Files waiting", Delivery.objects.filter(status=Delivery.Status.DUE), "status__exact=due"),
        ("Webhooks waiting", WebhookEvent.objects.filter(status=WebhookEvent.Status.NEW), "status__exact=new"),
    ]
    for title, rows, query in flow:
        if rows.model in visible:
            count = _count(rows, MOST_TODAY) or "0"
            yield {"title": title, "count": count, "link": f"{_list_of(rows.model)}?{query}"}


def _count(rows: QuerySet | list, most: int) -> str:
    """Return how many there are, "" for none, "100+" for more than the cap; more than that is never counted."""
    rows = rows[: most + 1] if isinstance(rows, list) else rows.order_by()[: most + 1]
    count = len(rows) if isinstance(rows, list) else rows.count()
    return f"{most:,}+" if count > most else f"{count or ''}"


def _list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
