"""How a shipment can be followed, as Shopify takes it."""

from itertools import zip_longest
from urllib.parse import urlsplit

from integrations.shopify import carriers
from integrations.shopify.fulfilments import Tracking
from orders.models import Shipment


def of(shipment: Shipment) -> Tracking:
    """Return what the store is told. One address that Shopify would not take would have it refuse the whole call."""
    pairs = list(zip_longest(shipment.numbers, shipment.urls, fillvalue=""))
    numbered = [(number, url) for number, url in pairs if number]
    numbers = tuple(number for number, _ in numbered)
    urls = [url if is_address(url) else "" for _, url in numbered or pairs]
    leading = urls[: urls.index("")] if "" in urls else urls  # a gap cannot be said
    return Tracking(carriers.spelling(shipment.carrier), numbers, tuple(leading))


def is_address(url: str) -> bool:
    """Tell whether a link can be made of it: http or https, a host, and nothing that a link must not hold."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    is_plain = url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    return parts.scheme in ("http", "https") and bool(host) and is_plain
