"""The topics that Hemi subscribes in each store, and the scopes of which Shopify wants one for them."""

from integrations import scopes

_FULFILMENT_ORDERS = tuple(
    f"read_{kind}_fulfillment_orders" for kind in ("assigned", "merchant_managed", "third_party", "marketplace")
)
_ORDERS = ("read_orders",)
_LOCATIONS = ("read_locations",)
TOPICS: dict[str, tuple[str, ...]] = {
    "ORDERS_CREATE": _ORDERS,
    "ORDERS_UPDATED": _ORDERS,
    "ORDERS_PAID": _ORDERS,
    "ORDERS_CANCELLED": _ORDERS,
    "ORDERS_EDITED": _ORDERS,
    "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE": _FULFILMENT_ORDERS,
    "FULFILLMENT_ORDERS_MOVED": _FULFILMENT_ORDERS,
    "FULFILLMENT_ORDERS_PLACED_ON_HOLD": _FULFILMENT_ORDERS,
    "FULFILLMENT_ORDERS_HOLD_RELEASED": _FULFILMENT_ORDERS,
    "FULFILLMENT_ORDERS_CANCELLED": _FULFILMENT_ORDERS,
    "LOCATIONS_CREATE": _LOCATIONS,
    "LOCATIONS_UPDATE": _LOCATIONS,
    "LOCATIONS_DEACTIVATE": _LOCATIONS,
    "LOCATIONS_DELETE": _LOCATIONS,
    "APP_UNINSTALLED": (),
    "APP_SCOPES_UPDATE": (),
    "BULK_OPERATIONS_FINISH": (),
}


def skipped(granted: tuple[str, ...]) -> dict[str, str]:
    """Return the topics that the granted scopes do not allow, each with a sentence."""
    has = scopes.expand(list(granted))
    return {
        topic: f"Not subscribed: the app has none of the scopes {', '.join(wanted)}."
        if len(wanted) > 1
        else f"Not subscribed: the app lacks the scope {wanted[0]}."
        for topic, wanted in TOPICS.items()
        if wanted and not has.intersection(wanted)
    }
