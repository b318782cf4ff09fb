"""Variants about money: discounts, taxes, currencies."""

from decimal import Decimal

from sandbox.shopify.catalogue import AMERICAN, ARABIC, JAPANESE
from sandbox.shopify.draft import Draft


def _line_discount(order: dict, draft: Draft) -> None:
    order["discount_applications"] = [
        {
            "target_type": "line_item",
            "type": "manual",
            "value": "5.0",
            "value_type": "fixed_amount",
            "allocation_method": "each",
            "target_selection": "explicit",
            "title": "Loyal customer",
            "description": "Loyal customer",
        }
    ]
    draft.line_changes[0] = {"discount_allocations": [{"amount": "5.00", "discount_application_index": 0}]}


def _discount_code(order: dict, draft: Draft) -> None:
    order["discount_codes"] = [{"code": "AUTUMN10", "amount": "10.00", "type": "fixed_amount"}]
    order["discount_applications"] = [
        {
            "target_type": "line_item",
            "type": "discount_code",
            "value": "10.0",
            "value_type": "fixed_amount",
            "allocation_method": "across",
            "target_selection": "all",
            "code": "AUTUMN10",
        }
    ]
    for index, share in enumerate(("7.37", "2.63")):
        draft.line_changes[index] = {"discount_allocations": [{"amount": share, "discount_application_index": 0}]}


def _taxes_added(order: dict, draft: Draft) -> None:
    order["taxes_included"] = False


def _yen(order: dict, draft: Draft) -> None:
    draft.person, draft.currency, draft.shipping_price = JAPANESE, "JPY", "800"
    for index in range(len(draft.basket)):
        draft.line_changes[index] = {"price": str(3200 + 1800 * index)}


def _dinar(order: dict, draft: Draft) -> None:
    draft.person, draft.currency, draft.shipping_price = ARABIC, "BHD", "1.750"
    for index in range(len(draft.basket)):
        draft.line_changes[index] = {"price": f"{12 + index}.345"}


def _two_currencies(order: dict, draft: Draft) -> None:
    draft.person = AMERICAN
    draft.presentment_currency, draft.presentment_rate = "USD", Decimal("1.0837")


AMOUNTS = {
    "line_discount": _line_discount,
    "discount_code": _discount_code,
    "taxes_added": _taxes_added,
    "yen": _yen,
    "dinar": _dinar,
    "two_currencies": _two_currencies,
}
