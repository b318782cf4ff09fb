"""Variants about what happened to an order since: cancelled, edited, refunded, partly shipped."""

from collections.abc import Callable

from sandbox.shopify.draft import Draft


def _cancelled(order: dict, draft: Draft) -> None:
    order.update(cancelled_at=order["created_at"], cancel_reason="customer", financial_status="voided")


def _fulfilled_in_part(order: dict, draft: Draft) -> None:
    draft.line_changes[0] = {"fulfillable_quantity": 0, "fulfillment_status": "fulfilled"}
    order["fulfillment_status"] = "partial"


def _edited(order: dict, draft: Draft) -> None:
    draft.basket = [(draft.basket[0][0], 3), draft.basket[1]]
    draft.line_changes[0] = {"current_quantity": 1, "fulfillable_quantity": 1}


def _removed_line(order: dict, draft: Draft) -> None:
    draft.line_changes[1] = {"current_quantity": 0, "fulfillable_quantity": 0}


def _refunded_line(order: dict, draft: Draft) -> Callable[[dict], None]:
    draft.line_changes[1] = {"current_quantity": 0, "fulfillable_quantity": 0}
    return _refund_second_line


def _refund_second_line(order: dict) -> None:
    line = order["line_items"][1]
    refund_id = order["id"] + 500
    row = {"id": refund_id + 1, "line_item_id": line["id"], "quantity": line["quantity"], "restock_type": "cancel"}
    order["financial_status"] = "partially_refunded"
    order["refunds"] = [
        {
            "id": refund_id,
            "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
            "created_at": order["updated_at"],
            "note": None,
            "order_id": order["id"],
            "processed_at": order["updated_at"],
            "refund_line_items": [row],
            "transactions": [],
            "order_adjustments": [],
        }
    ]


STATES = {
    "cancelled": _cancelled,
    "fulfilled_in_part": _fulfilled_in_part,
    "edited": _edited,
    "removed_line": _removed_line,
    "refunded_line": _refunded_line,
}
