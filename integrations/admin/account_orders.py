"""How complete an account's orders are, and what can be fetched."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from hemi.lib import badges
from hemi.lib.buttons import go
from hemi.lib.links import page_of
from hemi.lib.readonly import ReadOnlyInline
from integrations.models import AccountShopify
from orders import completeness, fetch_requests
from orders.models import CompletenessDay, Order, OrderFetch
from orders.services import Refused
from suppliers.models import SupplierOrder

REFUSALS = {"fetch_orders": fetch_requests.why_not_fetch, "recover_orders": fetch_requests.why_not_recover}
NAMED = 20  # missing orders that are named; the rest is counted

_Status = SupplierOrder.Status
_CONFIRMED = (_Status.ACCEPTED, _Status.SHIPPED)
_SENT = (_Status.SENT, _Status.TAKEN, _Status.REJECTED, *_CONFIRMED)


class CompletenessInline(ReadOnlyInline):
    """The last days of the store against what Hemi has, sent and had confirmed."""

    model = CompletenessDay
    verbose_name_plural = "Completeness"
    is_part = True
    fields = ["day", "in_store", "stored", "sent", "confirmed", "complete", "named", "checked_at"]
    ordering = ["-day"]
    template_before = "admin/completeness_narrow.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CompletenessDay]:
        return super().get_queryset(request).filter(day__gte=completeness.first_day())

    @display(description="sent")
    def sent(self, day: CompletenessDay) -> int:
        return self._went(day)[0]

    @display(description="confirmed")
    def confirmed(self, day: CompletenessDay) -> int:
        return self._went(day)[1]

    @display(description="complete")
    def complete(self, day: CompletenessDay) -> SafeString | str:
        if day.checked_at is None:
            return "Not compared yet"
        if day.stored == day.in_store:
            return badges.badge("100 %", "success")
        return badges.badge(f"{100 * day.stored // day.in_store} %", "danger")

    @display(description="missing")
    def named(self, day: CompletenessDay) -> SafeString | str:
        names = [f"{row['number']} ({row['id']})" for row in day.missing[:NAMED]]
        more = day.in_store - day.stored - len(names)
        text = ", ".join([*names, *([f"{more:,} more"] if more > 0 else [])])
        return format_html('<span class="gap">{}</span>', text) if text else "–"

    def _went(self, day: CompletenessDay) -> tuple[int, int]:
        """Return how many of the day's orders were wholly sent and confirmed; read once a page for all days."""
        if "_days" not in self.__dict__:
            self._days = _went(day.account_id)
        return self._days.get(day.day, (0, 0))


def _went(account_id: int) -> dict[date, tuple[int, int]]:
    parts = SupplierOrder.objects.filter(order=OuterRef("pk")).exclude(status=_Status.CANCELLED)
    since = datetime.combine(completeness.first_day(), datetime.min.time(), UTC)
    rows = (
        Order.objects.filter(account=account_id, placed_at__gte=since)
        .annotate(has_parts=Exists(parts))
        .annotate(is_unsent=Exists(parts.exclude(status__in=_SENT)))
        .annotate(is_open=Exists(parts.exclude(status__in=_CONFIRMED)))
        .annotate(day=TruncDate("placed_at", tzinfo=UTC))
        .order_by()
        .values("day")
        .annotate(sent=Count("pk", filter=Q(has_parts=True, is_unsent=False)))
        .annotate(confirmed=Count("pk", filter=Q(has_parts=True, is_open=False)))
    )
    return {row["day"]: (row["sent"], row["confirmed"]) for row in rows}


class RangeForm(BaseDialogForm):
    """Ask for the days."""

    since = forms.DateField(
        label="From",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text="Orders that were placed or changed since this day (UTC) are read from the store.",
        error_messages={"required": "Choose the first day."},
    )
    until = forms.DateField(
        label="To",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text="The last day on which an order may have been placed. Empty: until now.",
    )

    def wanted(self) -> fetch_requests.Range:
        """Return the days as a range of time."""
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        midnight = datetime.min.time()
        end = datetime.combine(until + timedelta(days=1), midnight, UTC) if until else None
        return fetch_requests.Range(datetime.combine(since, midnight, UTC), end)


class OrderButtons:
    """Mixin for an account's page and list."""

    def has_fetch_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("orders.add_orderfetch")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountShopify]:
        days = CompletenessDay.objects.filter(
            account=OuterRef("pk"), day__gte=completeness.first_day(), checked_at__isnull=False
        )
        sums = days.order_by().values("account").annotate(gap=Sum(F("in_store") - F("stored"))).values("gap")
        return super().get_queryset(request).annotate(orders_missing=Subquery(sums))

    @display(description="orders")
    def shown_completeness(self, account: AccountShopify) -> SafeString | str:
        missing = getattr(account, "orders_missing", None)
        if account.reconcile_error:
            return badges.badge("Not compared", "danger")
        if missing is None:
            return "–"
        return badges.badge(f"{missing:,} missing", "danger") if missing else badges.badge("100 %", "success")

    @display(description="orders compared")
    def shown_reconciliation(self, account: AccountShopify) -> SafeString | str:
        if account.reconcile_error:
            return account.reconcile_error
        if account.reconciled_until is None:
            return "Not yet"
        return format_html("Until {} UTC; every 15 minutes.", f"{account.reconciled_until:%Y-%m-%d %H:%M}")

    @action(
        description="Fetch orders of a date range",
        permissions=["fetch"],
        attrs={"title": "Fetch orders of a date range"},
        dialog={
            "title": "Fetch orders of a date range?",
            "description": "They are read by a worker, the way webhooks are taken: nothing is doubled, and what is "
            "newer here stays.",
            "form_class": RangeForm,
            "form_submit_text": "Fetch",
        },
    )
    def fetch_orders(self, request: HttpRequest, form: RangeForm, object_id: str) -> HttpResponse:
        """Ask for the orders of some days and show how far it is."""
        account = self.get_object(request, object_id)
        return self._fetch(
            request, account, lambda: fetch_requests.fetch_range(account=account, wanted=form.wanted(), by=request.user)
        )

    @action(
        description="Recover what is missing",
        permissions=["fetch"],
        dialog={
            "title": "Recover the missing orders?",
            "description": "Every order that the Completeness tab lists as missing is read from the store.",
            "form_submit_text": "Recover",
        },
    )
    def recover_orders(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask for the missing orders and show how far it is."""
        account = self.get_object(request, object_id)
        return self._fetch(request, account, lambda: fetch_requests.recover(account=account, by=request.user))

    def _fetch(self, request: HttpRequest, account: AccountShopify, ask: Any) -> HttpResponse:
        try:
            fetch: OrderFetch = ask()
        except Refused as refused:
            messages.error(request, str(refused))
            return go(request, page_of(account))
        self.log_change(request, account, "Asked for orders to be fetched.")
        return go(request, page_of(fetch))
