"""Signed requests of one shopper, as SHOPLINE's App Proxy passes them on."""

import time
from urllib.parse import urlencode

from bench.bodies import SECRET
from integrations.shopline import signatures

MERCHANT, OTHER_MERCHANT = "bench", "bench-other"
CUSTOMER = "7"
EMAIL = "shopper@example.com"
ORDERS = 3


def signed_query() -> str:
    """Return a query that is right for the next minutes."""
    values = {"merchant_id": MERCHANT, "customer_id": CUSTOMER, "path_prefix": "/apps/hemi"}
    values["timestamp"] = str(int(time.time()))
    return urlencode({**values, "signature": signatures.sign(values, SECRET)})


def shop_path(merchant_id: str, path: str) -> str:
    """Return the address of a page on the storefront side."""
    return f"/storefront/{merchant_id}/apps/hemi/{path}"
