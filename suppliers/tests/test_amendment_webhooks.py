"""What a store does to an order after its file went out, as its signed webhooks tell it, in every format and way."""

import json

import pytest

from integrations import inbox
from integrations.models import IntegrationCredentials, WebhookEvent
from integrations.tests.webhooks import post
from orders.models import Order
from sandbox.shopify import ShopifySandbox
from suppliers.models import Amendment, Mapping, RoutingRule, Supplier
from suppliers.tests.changes import agree
from suppliers.tests.test_amendment_chains import BY_KIND

How = Supplier.Amendments
KIND_IN = {
    "hemi-1.0": b'kind="%s"',
    "csv": b"\r\n%s;",
    "own": b'as="%s"',
}


@pytest.fixture
def tell(account, integration, client, north):
    """Return what brings an order's newest body by a signed webhook."""
    RoutingRule.objects.update(vendor="")
    account.integration = integration
    account.save()
    IntegrationCredentials.objects.update(client_secret="hush")

    def run(topic, body):
        number = f"w-{WebhookEvent.objects.count()}"
        assert post(client, account, json.dumps(body).encode(), Topic=topic, Webhook_Id=number).status_code == 200
        inbox.process_events()
        assert WebhookEvent.objects.get(webhook_id=number).status == "done"

    return run


@pytest.fixture
def store():
    with ShopifySandbox() as sandbox:
        sandbox.add_shop("test")
        yield sandbox


def _without(lines):
    return [{**line, "current_quantity": 0, "fulfillable_quantity": 0} for line in lines]


def cancelled(store, body):
    return "orders/cancelled", store.cancel_order("test", body["id"]), "cancellation"


def edited(store, body):
    first, *rest = body["line_items"]
    count = first["quantity"] + 3
    lines = [{**first, "quantity": count, "current_quantity": count, "fulfillable_quantity": count}, *rest]
    return "orders/updated", store.update_order("test", body["id"], line_items=lines), "change"


def one_line_refunded(store, body):
    lines = [*body["line_items"][:-1], *_without(body["line_items"][-1:])]
    changes = {"line_items": lines, "financial_status": "partially_refunded"}
    return "orders/updated", store.update_order("test", body["id"], **changes), "change"


def all_lines_refunded(store, body):
    changes = {"line_items": _without(body["line_items"]), "financial_status": "refunded"}
    return "orders/updated", store.update_order("test", body["id"], **changes), "cancellation"


def money_refunded(store, body):
    return "orders/updated", store.update_order("test", body["id"], financial_status="refunded"), ""


@pytest.mark.parametrize(
    ("form", "how"),
    [*((form, How.CHANGE) for form in Supplier.Format.values), ("hemi-1.0", How.PERSON), ("hemi-1.0", How.REVISION)],
)
@pytest.mark.parametrize("event", [cancelled, edited, one_line_refunded, all_lines_refunded, money_refunded])
def test_the_supplier_or_a_person_hears_of_it(store, tell, sends, server, north, event, form, how):
    agree(north, how)
    Supplier.objects.update(format=form)
    Mapping.objects.create(supplier=north, version=1, xslt=BY_KIND, is_live=True)
    body = store.place_order("test", financial_status="paid")
    tell("orders/create", body)
    assert len(sends()) == 1
    topic, newer, kind = event(store, body)
    newer["updated_at"] = "2027-01-01T00:00:00Z"  # not in the second in which it was placed
    tell(topic, newer)
    is_sent = how != How.PERSON and kind
    assert len(sends()) == (2 if is_sent else 1)
    order = Order.objects.get()
    first = order.supplier_orders.get(revision=1)
    assert Amendment.objects.get(supplier_order=first).status == ("sent" if is_sent else "open")
    if not is_sent:
        assert first.attention.startswith("Changed after its file was sent: ")
        return
    kind = "revision" if how == How.REVISION and kind == "change" else kind
    later = order.supplier_orders.get(revision=2)
    assert (later.kind, first.status) == (kind, "cancelled" if kind == "cancellation" else "replaced")
    text = (server.orders_folder / later.delivery.final_name).read_bytes()
    assert first.reference.encode() in text
    roots = {"revision": b"<Order ", "change": b"OrderChange ", "cancellation": b"OrderCancellation "}
    assert (KIND_IN[form] % kind.encode() if form in KIND_IN else roots[kind]) in text
