"""Inside an installation: a SHOPLINE shop with a shopper who has orders, among many who are not theirs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench import bodies
from bench.bare import shop_views
from bench.processes import Broken
from bench.shoppers import CUSTOMER, EMAIL, MERCHANT, ORDERS, OTHER_MERCHANT
from integrations.models import AccountShopify, AccountShopline, Client
from integrations.views import proxy
from orders.models import Order, OrderLine, Shipment, ShopperLink
from suppliers.models import Endpoint, Supplier, SupplierOrder, SupplierOrderLine

LINES, OTHERS = 2, 500
_AMOUNTS = dict.fromkeys(("total", "total_tax", "total_discount", "total_shipping"), 0)


def answer(do: str, **question: Any) -> dict[str, Any]:
    """Call the function of this name."""
    functions: dict[str, Callable[..., dict[str, Any]]] = {"make": make, "compare": compare}
    return functions[do](**question)


def make(proxy_url: str) -> dict[str, Any]:
    """Make the tables and all rows; the second shop's requests go on to `proxy_url`."""
    call_command("migrate", interactive=False, verbosity=0)
    client = Client.objects.create(name="Bench")
    shop = _storefront(client, MERCHANT, "")
    _storefront(client, OTHER_MERCHANT, proxy_url)
    store = AccountShopify.objects.create(shop_name=bodies.SHOP, client=client)
    supplier = Supplier.objects.create(name="Maker", code="MAKER", endpoint=Endpoint.objects.create(name="Maker"))
    ShopperLink.objects.create(shopline=shop, customer_id=CUSTOMER, email=EMAIL, source=ShopperLink.Source.STAFF)
    for number in range(OTHERS + ORDERS):
        email = EMAIL if number < ORDERS else f"{number}@example.com"
        _order(store, supplier, number + 1, email)
    return {}


def compare(query: str) -> dict[str, Any]:
    """Raise Broken unless Hemi's page and the bare view read the same: then the one's rate is the other's yardstick."""
    request = RequestFactory().get(f"/shopline/proxy/status.json?{query}")
    hemi, bare = _reads(proxy.serve, request, "status.json"), _reads(shop_views.status, request)
    if hemi != bare:
        odd = [text for text in hemi if text not in bare] + [text for text in bare if text not in hemi]
        raise Broken(f"The bare view does not read what Hemi reads: {odd[:2]}")
    return {"reads": len(hemi)}


def _reads(view: Callable[..., HttpResponse], request: HttpRequest, *more: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        answered = view(request, *more)
    if answered.status_code != 200:
        raise Broken(f"{view.__module__} answered {answered.status_code}.")
    return [query["sql"].partition(" ORDER BY ")[0] for query in queries]


def _storefront(client: Client, merchant_id: str, proxy_url: str) -> AccountShopline:
    return AccountShopline.objects.create(
        client=client,
        merchant_id=merchant_id,
        shop_name="Bench",
        app_proxy_secret=bodies.SECRET,
        proxy_enabled=True,
        app_id="hemi",
        live_prefix="apps",
        live_subpath="hemi",
        live_proxy_url=proxy_url,
    )


def _order(store: AccountShopify, supplier: Supplier, number: int, email: str) -> None:
    placed_at = timezone.now() - timedelta(minutes=number)
    named = {"shopify_id": number, "number": f"#{number}", "email": email, "currency": "EUR"}
    order = Order.objects.create(account=store, placed_at=placed_at, shop_updated_at=placed_at, **named, **_AMOUNTS)
    part = SupplierOrder.objects.create(
        order=order, supplier=supplier, reference=f"B{number}-1", status=SupplierOrder.Status.ACCEPTED
    )
    for position in range(LINES):
        line = OrderLine.objects.create(
            order=order,
            shopify_id=number * 10 + position,
            position=position + 1,
            title="A thing",
            sku="THING",
            **dict.fromkeys(("price", "discount", "tax"), 0),
            **dict.fromkeys(("quantity", "current", "sendable"), 1),
        )
        SupplierOrderLine.objects.create(supplier_order=part, order_line=line, quantity=1)
    Shipment.objects.create(order=order, reference=part.reference, despatch="D-1", quantities={str(number * 10): 1})
