"""Forms of an order's dialogs."""

from typing import Any

from django import forms
from django.db.models import Prefetch
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from orders.models import Order, OrderLine
from suppliers import parts
from suppliers.models import Supplier, SupplierOrderLine


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
        help_text="Only lines that nobody has yet, or that their supplier rejects.",
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
        live = SupplierOrderLine.objects.filter(is_live=True).select_related("supplier_order__supplier")
        lines.queryset = parts.free_lines(order).prefetch_related(Prefetch("allocations", live, to_attr="live"))
        lines.label_from_instance = _say
        lines.initial = [line.pk for line in lines.queryset]


def _say(line: OrderLine) -> str:
    texts = [f"{line.sendable} × {line.title}", line.variant_title, line.sku]
    texts += [f"rejected by {allocation.supplier_order.supplier}" for allocation in line.live]
    return ", ".join(text for text in texts if text)
