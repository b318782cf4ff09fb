"""The peers of status.json: a view that does the same reads and believes everything, and one that reads nothing."""

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse, JsonResponse

from integrations.models import AccountShopline
from orders.models import Order, OrderLine, Shipment, ShopperLink
from suppliers.models import SupplierOrder, SupplierOrderLine

_OF_LINE = (
    *("order_id", "shopify_id", "position", "title", "variant_title", "quantity", "current", "sendable"),
    *("requires_shipping", "is_gift_card"),
)
_OF_SHIPMENT = ("order_id", "reference", "carrier", "numbers", "urls", "quantities", "created_at")


def nothing(request: HttpRequest) -> HttpResponse:
    """Answer as little as there can be."""
    return JsonResponse({"orders": []})


def status(request: HttpRequest) -> HttpResponse:
    """Read what Hemi reads for status.json and answer about as much, without proof of who asks."""
    account = AccountShopline.objects.filter(merchant_id=request.GET["merchant_id"]).first()
    assert account
    links = list(ShopperLink.objects.filter(shopline=account, customer_id=request.GET["customer_id"]))
    emails = [link.email for link in links]
    own = Order.objects.filter(account__client=account.client_id, redacted_at=None, shopify_id__gt=0).order_by()
    found = own.alias(mail=Lower("email")).filter(mail__in=emails).values_list("placed_at", "pk")[:5000]
    keys = [key for _, key in sorted(found, reverse=True)][:10]
    rows = Order.objects.only("number", "placed_at", "state").in_bulk(keys)
    orders = [rows[key] for key in keys]
    lines = OrderLine.objects.filter(order__in=keys).only(*_OF_LINE).order_by("position")
    parts = SupplierOrder.objects.filter(order__in=keys).only("order_id", "reference", "status", "replaces_id")
    shipments = Shipment.objects.filter(order__in=keys).only(*_OF_SHIPMENT).order_by("pk")
    read: dict[str, list] = {"lines": list(lines), "parts": list(parts.order_by("pk")), "shipments": list(shipments)}
    given = list(SupplierOrderLine.objects.filter(order_line__order__in=keys).order_by("pk"))
    shipped = {row.order_line_id: row.shipped for row in given}
    return JsonResponse({"orders": [_order(order, read, shipped) for order in orders]})


def _order(order: Order, read: dict[str, list], shipped: dict[int, int]) -> dict:
    mine = {name: [row for row in rows if row.order_id == order.pk] for name, rows in read.items()}
    return {
        "number": order.number,
        "placed_at": order.placed_at.isoformat(),
        "items": [
            {"title": line.title, "variant": line.variant_title, "shipped": shipped.get(line.pk, 0)}
            for line in mine["lines"]
        ],
        "parts": [{"reference": part.reference, "state": part.status} for part in mine["parts"]],
        "parcels": [{"carrier": row.carrier, "tracking": row.numbers} for row in mine["shipments"]],
    }
