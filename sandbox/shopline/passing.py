"""From the shop's own address to Hemi's storefront side and back, as a web server in front of a shop passes it on."""

import http.client
from urllib.parse import urlsplit

from sandbox.shopline.shop import Shop, Shopper
from sandbox.web import Answer, BadRequest, Request

TIMEOUT_SECONDS = 30
_ON = ("Accept", "Accept-Language", "Content-Type", "If-None-Match", "User-Agent", "X-Requested-With")
_NOT_BACK = {"connection", "content-length", "content-type", "date", "keep-alive", "server", "transfer-encoding"}
# Hemi's own policy guards its admin, which does not stand beside the pages here; under it no form of a page would
# bring the shopper's login along.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src *; base-uri 'none'; form-action 'self' {}"


def through_hemi(shop: Shop, request: Request, shopper: Shopper | None) -> Answer:
    """Return what Hemi's storefront side answers; no cookie goes there, only who is logged in."""
    headers = {name: request.headers[name] for name in _ON if name in request.headers}
    headers["X-Storefront-Customer"] = shopper.customer_id if shopper else ""
    connection = http.client.HTTPConnection(urlsplit(shop.hemi).netloc, timeout=TIMEOUT_SECONDS)
    target = f"/storefront/{shop.merchant_id}{request.target}"
    try:
        connection.request(request.method, target, request.body or None, headers)
        found = connection.getresponse()
        body = found.read()
    except (OSError, http.client.HTTPException) as error:
        raise BadRequest(f"Hemi does not answer: {type(error).__name__}.", 502) from error
    finally:
        connection.close()
    passed = {name: value for name, value in found.getheaders() if name.lower() not in _NOT_BACK}
    passed["Content-Security-Policy"] = _POLICY.format(shop.hemi)
    return Answer(body, found.getheader("Content-Type") or "", found.status, passed)
