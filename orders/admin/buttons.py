"""What can be done with an order: each button asks a service, and is greyed with the reason when it cannot."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from hemi.lib.buttons import ReasonedButtons
from hemi.lib.dialogs import ReasonForm
from orders import services
from orders.admin import refusals
from orders.admin.dialogs import SendForm
from orders.models import Order
from orders.services import Refused
from suppliers.services import orders as supplier_services


class OrderButtons(ReasonedButtons):
    """The buttons of an order's page and the actions of the list."""

    subject = "order"
    refusal_errors = (Refused,)
    actions = ["route_orders", "lift_filters"]
    actions_detail = [
        "hold",
        "release",
        "cancel",
        {"title": "Routing", "items": ["route_again", "send_to_supplier", "lift_filter"]},
    ]
    button_refusals = {
        "hold": refusals.hold,
        "release": refusals.release,
        "cancel": refusals.cancel,
        "route_again": refusals.route_again,
        "send_to_supplier": refusals.send_to_supplier,
        "lift_filter": refusals.lift_filter,
    }

    def has_hold_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("orders.hold_order")

    def has_route_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("orders.route_order")

    @action(
        description="Hold",
        permissions=["hold"],
        dialog={
            "title": "Put the order on hold?",
            "description": "Every file of it that has not been handed over stays here until you release the order.",
            "form_class": ReasonForm,
            "form_submit_text": "Hold",
        },
    )
    def hold(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Keep what has not gone from going."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, supplier_services.hold, "The order is on hold.", reason=reason)

    @action(
        description="Release",
        permissions=["hold"],
        dialog={
            "title": "Release the order?",
            "description": "Its files go on within seconds.",
            "form_class": ReasonForm,
            "form_submit_text": "Release",
        },
    )
    def release(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Let a held order go on."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, supplier_services.release, "The order is released.", reason=reason)

    @action(
        description="Cancel",
        permissions=["hold"],
        dialog={
            "title": "Cancel the order here?",
            "description": "Files that have not been handed over never go out. This cannot be undone. "
            "The store is not told, and neither is a supplier who has its file already.",
            "form_class": ReasonForm,
            "form_submit_text": "Cancel the order",
        },
    )
    def cancel(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Cancel for good."""
        reason = form.cleaned_data["reason"]
        return self.ask(request, object_id, supplier_services.cancel, "The order is cancelled.", reason=reason)

    @action(
        description="Route again",
        permissions=["route"],
        dialog={
            "title": "Ask the routing rules again?",
            "description": "Lines that nobody has yet, or that their supplier rejects, are looked at with the rules of "
            "now. A supplier that had its file of this order gets no line again by itself.",
            "form_submit_text": "Route again",
        },
    )
    def route_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask the rules again."""
        done = "The rules are asked again within seconds."
        return self.ask(request, object_id, supplier_services.route_again, done)

    @action(
        description="Send to supplier…",
        permissions=["route"],
        dialog={
            "title": "Send lines to a supplier",
            "description": "Whatever the rules say, these lines go to this supplier.",
            "form_class": SendForm,
            "form_submit_text": "Send",
        },
    )
    def send_to_supplier(self, request: HttpRequest, form: SendForm, object_id: str) -> HttpResponse:
        """Give lines to a supplier by hand."""
        supplier, lines = form.cleaned_data["supplier"], form.cleaned_data["lines"]
        done = f"The lines go to {supplier}."
        service = supplier_services.send_to_supplier
        return self.ask(request, object_id, service, done, lines=lines, supplier=supplier)

    @action(
        description="Release from the filter",
        permissions=["hold"],
        dialog={
            "title": "Release from the source name filter?",
            "description": "The order goes out although its source is not on the account's list.",
            "form_submit_text": "Release",
        },
    )
    def lift_filter(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let one order past the source name filter."""
        done = "The order is released from the source name filter."
        return self.ask(request, object_id, services.lift_source_filter, done)

    @action(description="Route again", permissions=["route"])
    def route_orders(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Ask the rules again for the chosen orders."""
        done = "{count} to be routed again."
        self.ask_for_rows(request, queryset, "route_orders", supplier_services.route_again, done)

    @action(description="Release from the source name filter", permissions=["hold"])
    def lift_filters(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Let the chosen orders past the source name filter."""
        done = "{count} released from the source name filter."
        self.ask_for_rows(request, queryset, "lift_filters", services.lift_source_filter, done)
