"""From the discounts of a webhook to the schema's `DiscountApplication` and `DiscountAllocation`."""

from sandbox.shopify.money_fields import money_bag

_TYPES = {
    "manual": "ManualDiscountApplication",
    "discount_code": "DiscountCodeApplication",
    "automatic": "AutomaticDiscountApplication",
}


def applications(order: dict) -> list[dict]:
    """Return what was granted to the order; allocations point here by index."""
    return [_application(order, index, row) for index, row in enumerate(order["discount_applications"])]


def allocations(order: dict, line: dict) -> list[dict]:
    """Return which part of which discount a line carries."""
    granted = applications(order)
    return [
        {
            "allocatedAmountSet": money_bag(row, "amount", order["currency"]),
            "discountApplication": granted[row["discount_application_index"]],
        }
        for row in line["discount_allocations"]
    ]


def _application(order: dict, index: int, row: dict) -> dict:
    return {
        "__typename": _TYPES[row["type"]],
        "key": index,
        "index": index,
        "allocationMethod": row["allocation_method"].upper(),
        "targetSelection": row["target_selection"].upper(),
        "targetType": row["target_type"].upper(),
        "title": row.get("title", ""),
        "description": row.get("description"),
        "code": row.get("code", ""),
        "value": _value(order, row),
    }


def _value(order: dict, row: dict) -> dict:
    if row["value_type"] == "percentage":
        return {"__typename": "PricingPercentageValue", "percentage": float(row["value"])}
    return {"__typename": "MoneyV2"} | money_bag(row, "value", order["currency"])["shopMoney"]
