"""Choose who gets a line. Pure: rules and line in, a choice out."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from orders.models import OrderLine
from suppliers.models import RoutingRule, Supplier

Routing = OrderLine.Routing


@dataclass(frozen=True)
class Choice:
    """What becomes of a line, why, and who gets it."""

    routing: str
    note: str
    supplier: Supplier | None = None


def choose(line: OrderLine, rules: Iterable[RoutingRule], *, is_test: bool) -> Choice:
    """Return the choice of the first rule that takes the line.

    A rule whose supplier is in the other mode is passed over: test orders go to suppliers in test mode only, real ones
    to live suppliers only.
    """
    passed_over = None
    for rule in rules:
        if not _matches(rule, line):
            continue
        if rule.product_type and _is_type_unknown(line):
            return Choice(Routing.UNROUTED, "Its product type could not be read from the store. Route again later.")
        if rule.supplier is None:
            return Choice(Routing.SET_ASIDE, f"By rule: {rule.conditions}.")
        if rule.supplier.is_live != is_test:
            return Choice(Routing.ROUTED, f"By rule: {rule.conditions}.", rule.supplier)
        passed_over = passed_over or rule.supplier
    return _nobody(passed_over, is_test=is_test)


def _nobody(passed_over: Supplier | None, *, is_test: bool) -> Choice:
    if is_test:
        return Choice(Routing.SET_ASIDE, "A test order, and no supplier in test mode takes this line.")
    if passed_over:
        return Choice(Routing.UNROUTED, f"{passed_over} is still in test mode. Go live, or send to another supplier.")
    return Choice(Routing.UNROUTED, "No rule takes it. Add a rule and route again, or send it to a supplier by hand.")


def _matches(rule: RoutingRule, line: OrderLine) -> bool:
    if rule.shipping and (rule.shipping == rule.Shipping.YES) != line.requires_shipping:
        return False
    if rule.vendor and rule.vendor.casefold() != line.vendor.casefold():
        return False
    is_known = rule.product_type and not _is_type_unknown(line)
    if is_known and rule.product_type.casefold() != (line.product_type or "").casefold():
        return False
    return not rule.sku_pattern or fnmatchcase(line.sku.casefold(), rule.sku_pattern.casefold())


def _is_type_unknown(line: OrderLine) -> bool:
    # A line without a product (a tip, a custom item) has no type; one whose product was not read may have any.
    return line.product_type is None and line.product_id is not None
