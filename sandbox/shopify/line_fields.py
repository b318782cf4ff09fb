"""From the lines of a webhook to the schema's `LineItem` and `ShippingLine`."""

from decimal import Decimal

from sandbox.shopify.discount_fields import allocations
from sandbox.shopify.money_fields import money_bag, tax_lines


def current_quantity(line: dict) -> int:
    """Return how many are left after edits and refunds; older payloads do not say."""
    return line.get("current_quantity", line["quantity"])


def lines(order: dict) -> list[dict]:
    """Return the lines of an order as `LineItem` rows."""
    return [_line(order, line) for line in order["line_items"]]


def _line(order: dict, line: dict) -> dict:
    currency, quantity = order["currency"], line["quantity"]
    taken = sum((Decimal(row["amount"]) for row in line["discount_allocations"]), Decimal())
    total = Decimal(line["price"]) * quantity

    def money(value: Decimal | str) -> dict:
        return money_bag({"value": str(value)}, "value", currency)

    return {
        "key": line["id"],
        "id": f"gid://shopify/LineItem/{line['id']}",
        "name": line["name"],
        "title": line["title"],
        "variantTitle": line["variant_title"],
        "sku": line["sku"],
        "vendor": line["vendor"],
        "quantity": quantity,
        "currentQuantity": current_quantity(line),
        "unfulfilledQuantity": line["fulfillable_quantity"],
        "nonFulfillableQuantity": quantity - current_quantity(line),
        "refundableQuantity": current_quantity(line),
        "requiresShipping": line["requires_shipping"],
        "taxable": line["taxable"],
        "isGiftCard": line["gift_card"],
        "customAttributes": [{"key": row["name"], "value": row["value"]} for row in line["properties"]],
        "product": lambda info: info.context.product(line["product_id"]),
        "variant": lambda info: info.context.variant(line["variant_id"]),
        "originalUnitPriceSet": money_bag(line, "price", currency),
        "originalTotalSet": money(total),
        "discountedUnitPriceSet": money_bag(line, "price", currency),
        "discountedUnitPriceAfterAllDiscountsSet": money((total - taken) / quantity),
        "discountedTotalSet": money(total - Decimal(line["total_discount"])),
        "totalDiscountSet": money_bag(line, "total_discount", currency),
        "discountAllocations": allocations(order, line),
        "taxLines": lambda info, **arguments: tax_lines(line, currency)[: arguments.get("first")],
    }


def shipping_lines(order: dict) -> list[dict]:
    """Return the shipping lines of an order as `ShippingLine` rows."""
    return [_shipping_line(order, line) for line in order["shipping_lines"]]


def _shipping_line(order: dict, line: dict) -> dict:
    currency = order["currency"]
    return {
        "key": line["id"],
        "id": f"gid://shopify/ShippingLine/{line['id']}",
        "title": line["title"],
        "code": line["code"],
        "source": line["source"],
        "phone": line["phone"],
        "custom": False,
        "isRemoved": bool(line.get("is_removed")),
        "originalPriceSet": money_bag(line, "price", currency),
        "discountedPriceSet": money_bag(line, "discounted_price", currency),
        "currentDiscountedPriceSet": money_bag(line, "discounted_price", currency),
        "discountAllocations": allocations(order, line),
        "taxLines": tax_lines(line, currency),
    }
