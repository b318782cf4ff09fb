"""What a new shop has on its shelves: locations, collections, products."""

from datetime import UTC, datetime, timedelta

from sandbox.shopify.catalogue import ARTICLES, Article
from sandbox.shopify.state import Shop

_OPENED = datetime(2024, 3, 1, 8, 0, tzinfo=UTC)
_LOCATIONS = (
    ("Main warehouse", "Lagerstraße 7", "Hamburg", "20357", "Germany", "DE", True),
    ("Shop Kraków", "ul. Grodzka 10", "Kraków", "31-006", "Poland", "PL", True),
    ("Old depot", "12 Dock Road", "Liverpool", "L3 4BB", "United Kingdom", "GB", False),
)
_COLLECTIONS = (
    ("Home page", "frontpage"),
    ("New arrivals", "new-arrivals"),
    ("Rain & Wind", "rain-wind"),
    ("=cmd()", "cmd"),
    ("+49 sale", "49-sale"),
    ("-20 % until Sunday", "20-until-sunday"),
    ("@home", "home"),
    ("\tIndented", "indented"),
    ('Chairs, tables; "and more"', "chairs-tables-and-more"),
    ("夏のコレクション", "夏のコレクション"),
    ("冬季外套", "冬季外套"),
    ("여름 신상품", "여름-신상품"),
    ("Zimowe płaszcze i żakiety", "zimowe-plaszcze-i-zakiety"),
    ("Łóżka", "lozka"),
    ("تخفيضات", "تخفيضات"),
    ("Gifts 🎁", "gifts"),
    ("Größen über 46", "groessen-ueber-46"),
    ("<b>Bold</b> offers", "b-bold-b-offers"),
)


def furnish(shop: Shop, collections: int = 30) -> None:
    """Fill a shop with the usual three locations, `collections` collections and the catalogue."""
    shop.locations = [_location(shop, number, row) for number, row in enumerate(_LOCATIONS, 1)]
    shop.products = [_product(article) for article in ARTICLES]
    shop.collections = [_collection(shop, number) for number in range(1, collections + 1)]


def _location(shop: Shop, number: int, row: tuple) -> dict:
    name, street, city, postcode, country, code, is_active = row
    return {
        "id": shop.id * 100 + number,
        "name": name,
        "isActive": is_active,
        "fulfillsOnlineOrders": is_active,
        "shipsInventory": is_active,
        "isFulfillmentService": False,
        "hasActiveInventory": is_active,
        "createdAt": _OPENED,
        "updatedAt": _OPENED + timedelta(days=number),
        "deactivatedAt": None if is_active else "2025-06-30T16:00:00Z",
        "address": {
            "address1": street,
            "city": city,
            "zip": postcode,
            "country": country,
            "countryCode": code,
            "formatted": [street, f"{postcode} {city}", country],
        },
    }


def _collection(shop: Shop, number: int) -> dict:
    named = number <= len(_COLLECTIONS)
    title, handle = _COLLECTIONS[number - 1] if named else (f"Range {number}", f"range-{number}")
    return {
        "id": shop.id * 10_000 + number,
        "title": title,
        "handle": handle,
        "sortOrder": "BEST_SELLING" if number % 2 else "MANUAL",
        "is_smart": number % 3 == 0,
        "updatedAt": _OPENED + timedelta(days=number),
        "product_ids": [article.product_id for article in ARTICLES[: number % (len(ARTICLES) + 1)]],
    }


def _product(article: Article) -> dict:
    return {
        "id": article.product_id,
        "title": article.title,
        "handle": article.title.lower().replace(" ", "-"),
        "vendor": article.vendor,
        "productType": article.product_type,
        "isGiftCard": article.product_type == "Gift Cards",
        "variant_id": article.variant_id,
        "variant_title": article.variant_title or "Default Title",
        "sku": article.sku,
        "price": article.price,
        "updatedAt": _OPENED + timedelta(hours=article.number),
    }
