"""Amounts as order payloads write them: strings, with as many decimals as the currency has."""

from decimal import ROUND_HALF_UP, Decimal

_DECIMALS = {"JPY": 0, "KRW": 0, "BHD": 3, "KWD": 3}


def amount(value: Decimal | str | int, currency: str) -> str:
    """Write an amount in its currency, rounded half up."""
    unit = Decimal(1).scaleb(-_DECIMALS.get(currency, 2))
    return str(Decimal(value).quantize(unit, ROUND_HALF_UP))


def money_set(text: str, currency: str, presentment: tuple[str, Decimal] | None = None) -> dict:
    """Return the `*_set` of an amount; `presentment` is the buyer's currency and its rate."""
    shop_money = {"amount": text, "currency_code": currency}
    if presentment is None:
        return {"shop_money": shop_money, "presentment_money": dict(shop_money)}
    buyers, rate = presentment
    return {
        "shop_money": shop_money,
        "presentment_money": {"amount": amount(Decimal(text) * rate, buyers), "currency_code": buyers},
    }
