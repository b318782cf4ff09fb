"""Forms of an order's dialogs."""

from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from orders.admin import refusals
from orders.models import Order, OrderLine
from suppliers.models import Supplier


class SendForm(BaseDialogForm):
    """Choose a supplier and the free lines that it gets."""

    supplier = forms.ModelChoiceField(
        Supplier.objects.none(),
        label="Supplier",
        empty_label="Choose a supplier",
        widget=UnfoldAdminSelectWidget,
        error_messages={"required": "Choose a supplier."},
    )
    lines = forms.ModelMultipleChoiceField(
        OrderLine.objects.none(),
        label="Lines",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Only lines that nobody has yet.",
        error_messages={"required": "Tick at least one line."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = Order.objects.get(pk=self.object_id)
        mode = Supplier.Mode.TEST if order.is_test else Supplier.Mode.LIVE
        suppliers, lines = self.fields["supplier"], self.fields["lines"]
        suppliers.queryset = Supplier.objects.filter(mode=mode)
        suppliers.help_text = (
            "A test order goes to suppliers in test mode only."
            if order.is_test
            else "A real order goes to live suppliers only."
        )
        lines.queryset = refusals.free_lines(order)
        lines.label_from_instance = _say
        lines.initial = [line.pk for line in lines.queryset]


def _say(line: OrderLine) -> str:
    parts = [f"{line.sendable} × {line.title}", line.variant_title, line.sku]
    return ", ".join(part for part in parts if part)
