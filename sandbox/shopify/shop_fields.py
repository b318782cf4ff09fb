"""From a shop and its contents to the schema's types."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sandbox.shopify.paging import connection
from sandbox.shopify.state import Shop, Subscription


def shop_fields(shop: Shop) -> dict:
    """Return a `Shop`."""
    local = datetime.now(ZoneInfo(shop.timezone))
    is_plus = shop.plan == "plus"
    return {
        "id": f"gid://shopify/Shop/{shop.id}",
        "name": shop.name.replace("-", " ").title(),
        "myshopifyDomain": shop.domain,
        "url": f"https://{shop.domain}",
        "email": f"owner@{shop.name}.example",
        "contactEmail": f"hello@{shop.name}.example",
        "currencyCode": shop.currency,
        "ianaTimezone": shop.timezone,
        "timezoneAbbreviation": local.strftime("%Z"),
        "timezoneOffset": local.strftime("%z"),
        "taxesIncluded": True,
        "weightUnit": "KILOGRAMS",
        "createdAt": _time(shop.created_at),
        "shopOwnerName": "Robin Sandbox",
        "plan": {"publicDisplayName": shop.plan.title(), "partnerDevelopment": False, "shopifyPlus": is_plus},
        "primaryDomain": {
            "id": f"gid://shopify/Domain/{shop.id}",
            "host": shop.domain,
            "sslEnabled": True,
            "url": f"https://{shop.domain}",
        },
    }


def location_fields(row: dict) -> dict:
    """Return a `Location`."""
    return _resource("Location", row) | {"createdAt": _time(row["createdAt"])}


def collection_fields(row: dict, products: list[dict]) -> dict:
    """Return a `Collection`; a smart one has a source with a condition, a manual one a source without."""
    inside = [product for product in products if product["id"] in row["product_ids"]]
    return _resource("Collection", row) | {
        "description": "",
        "descriptionHtml": "",
        "templateSuffix": None,
        "sources": [_source(row)] if row["is_smart"] or inside else [],
        "productsCount": {"count": len(inside), "precision": "EXACT"},
        "products": lambda info, **arguments: connection([product_fields(item) for item in inside], arguments),
    }


def _source(row: dict) -> dict:
    condition = {
        "__typename": "CollectionSourceInclusionConditionProductType",
        "id": f"gid://shopify/CollectionSourceInclusionConditionProductType/{row['id']}",
        "matchType": "ANY",
        "relation": "EQUALS",
        "values": ["Apparel"],
    }
    return {
        "__typename": "CollectionConditionsSource",
        "id": f"gid://shopify/CollectionConditionsSource/{row['id']}",
        "title": row["title"],
        "shareable": False,
        "inclusion": {"conditions": [condition] if row["is_smart"] else [], "matchType": "ALL"},
    }


def product_fields(row: dict) -> dict:
    """Return a `Product` with its one variant."""
    return _resource("Product", row) | {
        "status": "ACTIVE",
        "tags": [],
        "createdAt": _time(row["updatedAt"]),
        "variants": lambda info, **arguments: connection([variant_fields(row)], arguments),
    }


def variant_fields(row: dict) -> dict:
    """Return a `ProductVariant`."""
    return {
        "__typename": "ProductVariant",
        "key": row["variant_id"],
        "id": f"gid://shopify/ProductVariant/{row['variant_id']}",
        "legacyResourceId": str(row["variant_id"]),
        "title": row["variant_title"],
        "displayName": f"{row['title']} - {row['variant_title']}",
        "sku": row["sku"],
        "barcode": None,
        "price": row["price"],
        "position": 1,
        "taxable": True,
        "product": lambda info: product_fields(row),
    }


def subscription_fields(row: Subscription) -> dict:
    """Return a `WebhookSubscription`."""
    return {
        "__typename": "WebhookSubscription",
        "key": row.id,
        "id": f"gid://shopify/WebhookSubscription/{row.id}",
        "legacyResourceId": str(row.id),
        "topic": row.topic,
        "uri": row.uri,
        "format": "JSON",
        "filter": row.filter,
        "includeFields": row.include_fields,
        "metafieldNamespaces": row.metafield_namespaces,
        "name": row.name,
        "apiVersion": {"handle": row.api_version, "displayName": row.api_version, "supported": True},
        "createdAt": _time(row.created_at),
        "updatedAt": _time(row.updated_at),
    }


def _resource(kind: str, row: dict) -> dict:
    return row | {
        "__typename": kind,
        "key": row["id"],
        "id": f"gid://shopify/{kind}/{row['id']}",
        "legacyResourceId": str(row["id"]),
        "updatedAt": _time(row["updatedAt"]),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
