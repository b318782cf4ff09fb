"""The sums of an order: taxes by country, discounts from their allocations, every amount with its set."""

from decimal import Decimal

from sandbox.shopify.catalogue import TAX_RATES
from sandbox.shopify.money import amount, money_set

_LINE_AMOUNTS = ("price", "total_discount")
_SHIPPING_AMOUNTS = ("price", "discounted_price")
_ORDER_AMOUNTS = (
    "current_shipping_price",
    "current_subtotal_price",
    "current_total_discounts",
    "current_total_price",
    "current_total_tax",
    "subtotal_price",
    "total_cash_rounding_payment_adjustment",
    "total_cash_rounding_refund_adjustment",
    "total_discounts",
    "total_line_items_price",
    "total_price",
    "total_shipping_price",
    "total_tax",
)
# Shopify sends these as a set only.
_SET_ONLY = (
    "current_shipping_price",
    "total_cash_rounding_payment_adjustment",
    "total_cash_rounding_refund_adjustment",
    "total_shipping_price",
)


def settle(order: dict, rate: Decimal | None = None) -> None:
    """Work out every amount of an order from its lines; `rate` turns them into the presentment currency."""
    currency = order["currency"]
    shipping = sum((Decimal(line["price"]) for line in order["shipping_lines"]), Decimal())
    current = _sums(order, "current_quantity", shipping)
    original = _sums(order, "quantity", shipping)
    order["tax_lines"] = _order_tax(order, original["tax"])
    amounts = {name: Decimal() for name in _ORDER_AMOUNTS} | {
        "current_shipping_price": shipping,
        "current_subtotal_price": current["subtotal"],
        "current_total_discounts": current["discounts"],
        "current_total_price": current["total"],
        "current_total_tax": current["tax"],
        "subtotal_price": original["subtotal"],
        "total_discounts": original["discounts"],
        "total_line_items_price": original["lines"],
        "total_price": original["total"],
        "total_shipping_price": shipping,
        "total_tax": original["tax"],
    }
    order.update({name: amount(value, currency) for name, value in amounts.items()})
    order["total_weight"] = sum(line["grams"] * line["quantity"] for line in order["line_items"])
    order["total_outstanding"] = amount(0 if order["financial_status"] == "paid" else current["total"], currency)
    order["total_tip_received"] = amount(0, currency)
    _add_sets(order, rate)


def _sums(order: dict, quantity: str, shipping: Decimal) -> dict[str, Decimal]:
    lines = discounts = tax = Decimal()
    for line in order["line_items"]:
        gross = Decimal(line["price"]) * line[quantity]
        # An allocation is for the whole line: what was taken off the order takes its share along.
        share = Decimal(line[quantity]) / line["quantity"]
        discount = share * sum(Decimal(row["amount"]) for row in line["discount_allocations"])
        lines, discounts = lines + gross, discounts + discount
        tax += _line_tax(order, line, gross - discount)
    subtotal = lines - discounts
    total = subtotal + shipping + (0 if order["taxes_included"] else tax)
    return {"lines": lines, "discounts": discounts, "subtotal": subtotal, "tax": tax, "total": total}


def _tax_rate(order: dict) -> Decimal:
    place = order["shipping_address"] or order["billing_address"] or {}
    return Decimal(TAX_RATES.get(place.get("country_code") or "", "0.00"))


def _line_tax(order: dict, line: dict, net: Decimal) -> Decimal:
    rate = _tax_rate(order)
    if not line["taxable"] or not rate:
        return Decimal()
    exact = net * rate / (1 + rate) if order["taxes_included"] else net * rate
    tax = Decimal(amount(exact, order["currency"]))
    line["tax_lines"] = [{"channel_liable": False, "price": str(tax), "rate": float(rate), "title": "VAT"}]
    return tax


def _order_tax(order: dict, tax: Decimal) -> list[dict]:
    if not tax:
        return []
    return [
        {
            "channel_liable": False,
            "price": amount(tax, order["currency"]),
            "rate": float(_tax_rate(order)),
            "title": "VAT",
        }
    ]


def _add_sets(order: dict, rate: Decimal | None) -> None:
    currency = order["currency"]
    presentment = (order["presentment_currency"], rate) if rate else None

    def add(row: dict, names: tuple[str, ...]) -> None:
        for name in names:
            row[f"{name}_set"] = money_set(row[name], currency, presentment)

    add(order, _ORDER_AMOUNTS)
    for name in _SET_ONLY:
        del order[name]
    for line in order["line_items"]:
        add(line, _LINE_AMOUNTS)
        for allocation in line["discount_allocations"]:
            add(allocation, ("amount",))
    for line in order["shipping_lines"]:
        add(line, _SHIPPING_AMOUNTS)
        line["current_discounted_price_set"] = line["discounted_price_set"]
    for owner in (order, *order["line_items"]):
        for tax_line in owner["tax_lines"]:
            add(tax_line, ("price",))
