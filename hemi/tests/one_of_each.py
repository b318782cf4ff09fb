"""One row of each model that has a page in the admin, tied together as in life."""

from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.utils import timezone

from hemi.models import ConfigurationChange, FailedLogin
from integrations.models import (
    AccountShopify,
    AccountShopline,
    Client,
    CollectionExport,
    InstallLink,
    Integration,
    IntegrationCredentials,
    Location,
    PrivacyRequest,
    StaffAlert,
    WebhookEvent,
)
from orders.models import Fulfilment, OrderEvent, OrderFetch, OrderLine, Shipment, ShopperLink
from suppliers.models import (
    Amendment,
    DeliveryAttempt,
    DocumentSchema,
    EndpointCheck,
    Mapping,
    ReplyStatement,
    RoutingRule,
    SupplierOrderLine,
    SupplierReply,
)
from suppliers.tests import factories


def make() -> dict[str, Model]:
    """Return the rows by the label of their model."""
    rows = [*_connections(), *_orders(), *_staff()]
    return {row._meta.label: row for row in rows}


def _staff() -> list[Model]:
    login = FailedLogin.objects.create(username="somebody", ip_address="192.0.2.1", failures_since_start=5)
    somebody, group = User.objects.create_user("somebody"), Group.objects.create(name="Some")
    return [somebody, group, login, ConfigurationChange.objects.latest("pk")]


def _connections() -> list[Model]:
    client = Client.objects.create(name="A client")
    integration = Integration.objects.create(name="An app")
    credentials = IntegrationCredentials.objects.create(integration=integration, client_id="id", client_secret="s")
    account = AccountShopify.objects.create(shop_name="a-shop", client=client, integration=integration)
    link = InstallLink.objects.create(
        account=account,
        integration=integration,
        scopes="read_orders",
        redirect_uri="https://hemi.test/shopify/callback/",
        state_hash="0" * 64,
        expires_at=timezone.now() + timedelta(days=7),
    )
    event = WebhookEvent.objects.create(account=account, webhook_id="w-1", topic="orders/create", body=b"{}")
    location = Location.objects.create(account=account, shopify_id=1, name="Here")
    alert = StaffAlert.objects.create(kind="endpoint_stopped", key="1", subject="Something stopped", text="Look.")
    export = CollectionExport.objects.create(account=account)
    kind = PrivacyRequest.Kind.DATA_REQUEST
    wish = PrivacyRequest.objects.create(kind=kind, shop_name="a-shop", due_at=timezone.now(), answer=b"{}")
    shopline = AccountShopline.objects.create(client=client, merchant_id="m-1", shop_name="A shop")
    return [client, integration, credentials, account, link, event, location, alert, export, wish, shopline]


def _orders() -> list[Model]:
    supplier = factories.supplier()
    order = factories.order(account=AccountShopify.objects.get(shop_name="a-shop"), event=WebhookEvent.objects.get())
    line = order_line(order)
    event = OrderEvent.objects.create(order=order, kind="received", text="Received.")
    fetch = OrderFetch.objects.create(account=order.account, since=timezone.now())
    rule = RoutingRule.objects.create(supplier=supplier, vendor="Somebody")
    delivery = factories.delivery(supplier, supplier_order=factories.part(supplier, order=order))
    part = delivery.supplier_order
    SupplierOrderLine.objects.create(supplier_order=part, order_line=line, quantity=1)
    DeliveryAttempt.objects.create(delivery=delivery, number=1, started_at=timezone.now(), outcome="failed")
    reply = SupplierReply.objects.create(
        endpoint=supplier.endpoint, file_name="R.xml", sha256="1" * 64, size=1, content=b"x", supplier_order=part
    )
    said = ReplyStatement.objects.create(
        reply=reply, position=1, reference=part.reference, kind="accepted", rest="accepted", status="applied"
    )
    shipment = Shipment.objects.create(
        order=order, reference=part.reference, despatch="D-1", quantities={str(line.shopify_id): 1}
    )
    Fulfilment.objects.create(shipment=shipment, fulfillment_order_id=1)
    mapping = Mapping.objects.create(supplier=supplier, version=1, xslt="<o/>")
    change = Amendment.objects.create(
        supplier_order=part, changes=[{"line": 1, "what": "A", "before": "1", "after": "2"}]
    )
    schema = DocumentSchema.objects.create(name="A schema", archive=b"", main_document="a.xsd", sha256="2" * 64)
    made = [supplier, supplier.endpoint, order, line, event, fetch, rule, part, delivery, reply, shipment]
    check = EndpointCheck.objects.create(endpoint=supplier.endpoint)
    shopline, by_staff = AccountShopline.objects.get(), ShopperLink.Source.STAFF
    shopper = ShopperLink.objects.create(
        shopline=shopline, customer_id="c-1", email="ann@shopper.example", source=by_staff
    )
    return [*made, said, mapping, schema, change, check, shopper]


def order_line(order: Model, **values: object) -> OrderLine:
    """Make a line of `order`."""
    number = OrderLine.objects.count() + 1
    amounts = dict.fromkeys(("price", "discount", "tax"), 0)
    counts = dict.fromkeys(("quantity", "current", "sendable"), 1)
    names = {"shopify_id": number, "position": number, "title": f"Thing {number}", "sku": f"SKU-{number}"}
    return OrderLine.objects.create(**{"order": order, **amounts, **counts, **names, **values})
