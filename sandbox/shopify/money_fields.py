"""From the amounts of a webhook to the schema's `MoneyBag` and `TaxLine`."""

from decimal import Decimal


def money_bag(row: dict, name: str, currency: str) -> dict:
    """Return an amount in both currencies, from its `*_set` if the payload has one."""
    given = row.get(f"{name}_set")
    if given is None:
        money = {"amount": _trimmed(row.get(name) or "0"), "currencyCode": currency}
        return {"shopMoney": money, "presentmentMoney": money}
    return {"shopMoney": _money(given["shop_money"]), "presentmentMoney": _money(given["presentment_money"])}


def tax_lines(row: dict, currency: str) -> list[dict]:
    """Return the tax lines of an order, a line or a shipping line."""
    return [
        {
            "title": line["title"],
            "rate": line["rate"],
            "ratePercentage": line["rate"] * 100,
            "channelLiable": line.get("channel_liable"),
            "source": None,
            "priceSet": money_bag(line, "price", currency),
        }
        for line in row["tax_lines"]
    ]


def _money(money: dict) -> dict:
    return {"amount": _trimmed(money["amount"]), "currencyCode": money["currency_code"]}


def _trimmed(text: str) -> str:
    """Write `24.50` as `24.5` and `8` as `8.0`: the API drops the zeros that webhooks keep."""
    whole, _, fraction = f"{Decimal(text).quantize(Decimal('0.001')):f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"
