"""Shoppers of a SHOPLINE storefront, who come to Hemi as SHOPLINE's proxy sends them; and orders for them."""

import html
import re
import time
from datetime import timedelta
from urllib.parse import urlencode

from django.test import Client as Browser
from django.utils import timezone

from hemi.tests.one_of_each import order_line
from integrations.models import AccountShopify, AccountShopline, Client
from integrations.shopline import queries, signatures
from orders.models import Shipment
from suppliers.models import Supplier, SupplierOrder, SupplierOrderLine
from suppliers.tests import factories

SECRET = "hush"  # noqa: S105 - of the tests
PREFIX = "/apps/orders"
Status = SupplierOrder.Status


def storefront(merchant_id="m-1", **values):
    """Make a SHOPLINE account whose pages are in force, of a client of its own unless one is given."""
    values.setdefault("client", None)
    values["client"] = values["client"] or Client.objects.create(name=f"Client of {merchant_id}")
    live = {
        "live_prefix": "apps",
        "live_subpath": "orders",
        "state": "approved",
        "app_id": "app1",
        "seo_slug": "orders",
    }
    known = {"merchant_id": merchant_id, "shop_name": "Blümchen & Co", "app_proxy_secret": SECRET}
    return AccountShopline.objects.create(**{**live, **known, "proxy_enabled": True, **values})


def store(account, name="blumen"):
    """Make a Shopify store of the storefront's client."""
    return AccountShopify.objects.create(shop_name=name, client=account.client)


def order(shop, number="#1001", email="ola@example.com", **values):
    """Make an order with a customer, of which nothing was given to a maker yet."""
    said = {"account": shop, "number": number, "email": email, "customer_name": "Ola Łuk"}
    return factories.order(**{**said, **values})


def given(order_, supplier, *lines, status=Status.SENT, **values):
    """Give lines to a supplier, whose part is so far."""
    part = factories.part(supplier, order=order_, status=status, **values)
    for line in lines:
        SupplierOrderLine.objects.create(supplier_order=part, order_line=line, quantity=line.current)
    return part


def shipped(part, *lines, despatch="D-1", **tracking):
    """Record a despatch of whole lines."""
    said = {"carrier": "dhl express", "numbers": ["JJD0001"], "urls": ["https://track.example/JJD0001"]} | tracking
    for line in lines:
        part.lines.filter(order_line=line).update(shipped=line.current, reply_status=Status.SHIPPED)
    counts = {str(line.shopify_id): line.current for line in lines}
    return Shipment.objects.create(
        order=part.order, reference=part.reference, despatch=despatch, quantities=counts, **said
    )


def mixed(shop, number="#2001", **values):
    """Make an order of which each line fares otherwise."""
    found = order(shop, number, placed_at=timezone.now() - timedelta(days=2), **values)
    north, south, west = (_maker(f"Secret maker {word}") for word in ("N", "S", "W"))
    mug = order_line(
        found, title="Mug, hand-thrown, with a very long name that needs a second line", quantity=2, current=2
    )
    vase, bowl, tray = (order_line(found, title=title) for title in ("Vase", "Bowl", "Tray"))
    order_line(found, title="Plate", variant_title="Blue / 24 cm")
    order_line(found, title="Spoon", current=0, sendable=0)
    order_line(found, title="Gift card", is_gift_card=True, requires_shipping=False)
    first = given(found, north, mug, vase, status=Status.ACCEPTED)
    first.lines.filter(order_line=mug).update(reply_status=Status.ACCEPTED, confirmed=1)
    shipped(first, vase)
    shipped(
        given(found, south, bowl, status=Status.SHIPPED), bowl, numbers=["1Z999", "1Z998"], urls=["https://t.example/1"]
    )
    refused = given(found, west, tray, status=Status.REJECTED)
    refused.lines.update(reply_status=Status.REJECTED, confirmed=0, reply_reason="Ola Łuk owes us money")
    return found


def _maker(name):
    return Supplier.objects.filter(name=name).first() or factories.supplier(name=name)


class Shopper:
    """One shopper of one storefront; a blank customer id is a guest."""

    def __init__(self, account, customer_id="", language="en"):
        self.account, self.customer_id, self.language = account, customer_id, language
        self.browser = Browser()

    def get(self, path="", query="", accept="text/html", **signed):
        """Open a page, with more of the query if need be."""
        return self.browser.get(self.address(path, query, **signed), **self._headers(accept))

    def ask(self, number, email, page=None, accept="text/html"):
        """Fill in the form of a page and send it where it says."""
        action, ticket = form_of(page or self.get())
        return self.send(self.address("", action.lstrip("?")), number, email, accept, ticket=ticket)

    def send(self, address, number, email, accept="text/html", **hidden):
        """Post what a form holds."""
        return post(self.browser, address, {"number": number, "email": email, **hidden}, **self._headers(accept))

    def address(self, path="", query="", **signed):
        """Return the address that SHOPLINE's proxy asks at Hemi."""
        added = {
            "merchant_id": self.account.merchant_id,
            "customer_id": self.customer_id,
            "path_prefix": PREFIX,
            "timestamp": str(int(time.time())),
            **signed,
        }
        whole = f"{query}&{urlencode(added)}" if query else urlencode(added)
        signature = signatures.sign(queries.read_extended(whole), SECRET)
        return f"/shopline/proxy/{path}?{whole}&signature={signature}"

    def _headers(self, accept):
        return {"headers": {"accept": accept, "accept-language": self.language}}


def post(browser, address, fields, **more):
    """Send a form as browsers do."""
    body = urlencode(fields, errors="surrogatepass")
    return browser.post(address, body, content_type="application/x-www-form-urlencoded", **more)


def form_of(page):
    """Return a page's form: its address and its ticket."""
    text = page.content.decode()
    action = re.search(r'<form method="post" action="([^"]*)">', text)[1]
    return html.unescape(action), re.search(r'name="ticket" value="([^"]*)"', text)[1]
