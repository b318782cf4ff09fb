"""Money as a Decimal from a payload's string, with its currency beside it."""

from decimal import Decimal, InvalidOperation
from typing import Any

DIGITS: dict[str, Any] = {"max_digits": 20, "decimal_places": 4}  # ISO 4217 knows up to four decimals (CLF, UYW)


def amount(value: object) -> Decimal:
    """Read an amount as Shopify sends it (a string; in old payloads a number); None and "" are zero.

    Raises ValueError on anything that is not a finite number that the database can hold.
    """
    try:
        number = Decimal(str(value if value not in (None, "") else 0))
    except InvalidOperation:
        raise ValueError(f"{value!r:.40} is not an amount") from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 16:
        raise ValueError(f"{value!r:.40} is not an amount")
    return number.quantize(Decimal("0.0001"))


def text(value: Decimal) -> str:
    """Print an amount with at least two decimals and no more than it needs: 12.50, 0.125, 1200.00."""
    plain = format(value.normalize(), "f")
    whole, _, decimals = plain.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"
