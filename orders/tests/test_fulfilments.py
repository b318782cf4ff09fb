"""A shipment goes back to the store: exactly its pieces, once, and whatever stands against it is said."""

import pytest

from integrations.models import AccountShopify, Location
from orders import fulfilments, services
from orders.models import Fulfilment, Order, Shipment
from orders.tests import shipping
from orders.tests.connected import connect
from orders.tests.shipping import in_store, quantities, said, ship, sold, state, tell
from sandbox.shopify import ShopifySandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "hush", [])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def connected(account, store, settings):
    return connect(account, store, settings, shipping.SCOPES)


def raw(store, order):
    return store.state.shops["test"].orders[order.shopify_id]


def at(account, store, number):
    """Give the account a location of the store, by its number from 0."""
    row = store.state.shops["test"].locations[number]
    account.location = Location.objects.create(account=account, shopify_id=row["id"], name=row["name"])
    account.save()


def test_a_whole_shipment_is_told_with_its_tracking(connected, store):
    order, body = sold(connected, store)
    shipment = ship(
        order, quantities(body), numbers=["A1", "B2"], urls=["https://t.example/A1", "https://t.example/B2"]
    )
    assert shipment.status == Shipment.Status.WAITING
    tell()
    assert state(shipment) == ("told", "")
    assert in_store(store, order) == [(quantities(body), ["A1", "B2"])]
    made = raw(store, order)["fulfillments"][0]
    assert made["tracking_company"] == "DHL Express" and made["notify_customer"] is False
    assert made["tracking_urls"] == ["https://t.example/A1", "https://t.example/B2"]
    assert raw(store, order)["fulfillment_status"] == "fulfilled"
    row = shipment.fulfilments.get()
    assert (row.status, row.shopify_id) == ("done", made["id"]) and row.called_at and row.done_at
    assert said(order, "told") and not store.state.shops["test"].confirmations


def test_the_customer_is_mailed_where_the_account_says_so(connected, store):
    AccountShopify.objects.update(send_shipping_confirmation=True)
    order, body = sold(connected, store)
    ship(order, quantities(body))
    tell()
    assert [row["order"] for row in store.state.shops["test"].confirmations] == [body["name"]]


def test_partial_shipments_add_up(connected, store):
    order, body = sold(connected, store, variant="lines_500")
    lines = [line for line in body["line_items"] if line["quantity"] > 1]
    first, second = lines[0], lines[-1]
    one = ship(order, {first["id"]: 1, second["id"]: second["quantity"]})
    two = ship(order, {first["id"]: first["quantity"] - 1}, "D-2", numbers=["JJD2"])
    tell()
    tell()
    assert [state(one)[0], state(two)[0]] == ["told", "told"]
    assert in_store(store, order) == [
        ({first["id"]: 1, second["id"]: second["quantity"]}, ["JJD1"]),
        ({first["id"]: first["quantity"] - 1}, ["JJD2"]),
    ]
    assert raw(store, order)["fulfillment_status"] == "partial"


def test_a_despatch_told_twice_is_one_shipment(connected, store):
    order, body = sold(connected, store)
    ship(order, quantities(body))
    assert ship(order, quantities(body)) is None
    tell()
    assert ship(order, quantities(body), numbers=["OTHER"]) is None
    tell()
    assert len(in_store(store, order)) == Shipment.objects.count() == 1


def test_each_location_has_a_call_of_its_own_and_fulfilment_orders_of_one_share_it(connected, store):
    order, body = sold(connected, store)
    first, second = body["line_items"]
    store.fulfilment_orders.split("test", order.shopify_id, {second["id"]: second["quantity"]}, location=1)
    shipment = ship(order, quantities(body))
    tell()
    assert in_store(store, order) == [
        ({first["id"]: first["quantity"]}, ["JJD1"]),
        ({second["id"]: second["quantity"]}, ["JJD1"]),
    ]
    assert state(shipment)[0] == "told" and shipment.fulfilments.count() == 2

    other, body = sold(connected, store)
    first, second = body["line_items"]
    store.fulfilment_orders.split("test", other.shopify_id, {second["id"]: second["quantity"]})
    shipment = ship(other, quantities(body))
    tell()
    assert in_store(store, other) == [(quantities(body), ["JJD1"])]
    assert len(set(shipment.fulfilments.values_list("shopify_id", flat=True))) == 1
    assert shipment.fulfilments.count() == 2


def test_a_sample_is_never_told_to_a_store(connected, store):
    order, body = sold(connected, store)
    Order.objects.update(shopify_id=-7)
    shipment = ship(order, quantities(body))
    tell()
    assert shipment.status == Shipment.Status.NOTHING and not Fulfilment.objects.exists()


class TestWhatStandsAgainstIt:
    """Nothing is told, the order says why, and it goes on once that is mended."""

    def stands(self, shipment, words):
        tell()
        status, note = state(shipment)
        assert status == "blocked" and words in note
        assert [text for text in said(shipment.order, "not_told") if words in text]
        assert not Fulfilment.objects.filter(status=Fulfilment.Status.DONE).exists()

    def test_on_hold(self, connected, store):
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        store.fulfilment_orders.hold("test", order.shopify_id)
        self.stands(shipment, "is on hold in the store (Waiting for stock)")
        store.fulfilment_orders.release("test", order.shopify_id)
        services.try_shipment_again(shipment=shipment, by=None)
        tell()
        assert state(shipment) == ("told", "") and len(in_store(store, order)) == 1

    def test_another_location(self, connected, store):
        at(connected, store, 0)
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        store.fulfilment_orders.move("test", order.shopify_id, 1)
        self.stands(shipment, "is at the location “Shop Kraków” in the store, and the account's Location is “Main w")
        store.fulfilment_orders.move("test", order.shopify_id, 0)
        services.try_shipment_again(shipment=shipment, by=None)
        tell()
        assert state(shipment)[0] == "told"

    def test_closed(self, connected, store):
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        store.fulfilment_orders.close("test", order.shopify_id)
        self.stands(shipment, "is closed in the store")

    def test_cancelled(self, connected, store):
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        store.cancel_order("test", order.shopify_id)
        self.stands(shipment, "was cancelled in the store, and the supplier has shipped all the same")

    def test_more_than_was_ordered(self, connected, store):
        order, body = sold(connected, store)
        first = body["line_items"][0]
        shipment = ship(order, {first["id"]: first["quantity"] + 1})
        self.stands(shipment, f"1 × {first['title']} is more than the store has left")
        assert in_store(store, order) == []

    def test_a_line_that_the_store_does_not_have(self, connected, store):
        order, _ = sold(connected, store)
        self.stands(ship(order, {4711: 1}), "is not left to fulfil in the store")

    def test_a_missing_scope(self, connected, store, settings):
        connect(connected, store, settings, [*shipping.SCOPES[:3], "read_merchant_managed_fulfillment_orders"])
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        self.stands(shipment, "write_merchant_managed_fulfillment_orders")
        connected.refresh_from_db()
        assert connected.problem == AccountShopify.Problem.SCOPE
        connect(connected, store, settings, shipping.SCOPES)
        services.try_shipment_again(shipment=shipment, by=None)
        tell()
        connected.refresh_from_db()
        assert state(shipment)[0] == "told" and connected.problem == ""

    def test_what_shopify_refuses_in_its_own_words(self, connected, store):
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        store.add_fault("user_errors", 9, operation="fulfillmentCreate")
        tell()
        self.stands(shipment, "Something went wrong. Please try again later.")
        assert shipment.fulfilments.get().status == Fulfilment.Status.BLOCKED
        store.faults.clear()
        services.try_shipment_again(shipment=shipment, by=None)
        tell()
        assert state(shipment)[0] == "told" and len(in_store(store, order)) == 1


class TestWhatWaits:
    """Hemi goes on by itself."""

    @pytest.mark.parametrize("kind", ["500", "timeout"])
    def test_a_store_that_cannot_be_read(self, connected, store, kind, monkeypatch):
        monkeypatch.setattr("orders.fulfilments.CALL_SECONDS", 0.5)
        store.add_fault(kind, 9)
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        tell()
        assert state(shipment)[0] == "waiting" and shipment.last_error and not Fulfilment.objects.exists()
        store.faults.clear()
        monkeypatch.undo()
        tell()
        assert state(shipment)[0] == "told"

    @pytest.mark.parametrize("kind", ["429", "throttled", "401"])
    def test_a_call_that_was_not_run(self, connected, store, kind, monkeypatch):
        monkeypatch.setattr("orders.fulfilments.CALL_SECONDS", 0.9)
        store.add_fault(kind, 2, operation="fulfillmentCreate")
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        tell()
        assert state(shipment)[0] == "waiting" and in_store(store, order) == []
        AccountShopify.objects.update(problem="")
        store.faults.clear()
        monkeypatch.undo()
        tell()
        assert state(shipment)[0] == "told" and len(in_store(store, order)) == 1

    def test_a_paused_account(self, connected, store):
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        AccountShopify.objects.update(paused_at="2026-01-01T00:00Z")
        tell()
        assert state(shipment)[0] == "waiting" and in_store(store, order) == []
        with pytest.raises(services.Refused, match="paused"):
            services.try_shipment_again(shipment=shipment, by=None)
        AccountShopify.objects.update(paused_at=None)
        tell()
        assert state(shipment)[0] == "told"

    def test_a_disconnected_account(self, connected, store):
        order, body = sold(connected, store)
        shipment = ship(order, quantities(body))
        AccountShopify.objects.update(access_token="", disconnected_at="2026-01-01T00:00Z")
        tell()
        assert state(shipment)[0] == "waiting" and in_store(store, order) == []

    def test_one_store_that_is_away_holds_up_no_other(self, connected, store, integration):
        order, body = sold(connected, store)
        waiting = [ship(order, quantities(body)), *(ship(order, quantities(body), f"D-{n}") for n in range(2, 5))]
        store.add_fault("401", 99, shop="test")
        assert fulfilments.tell() == 1
        assert {state(shipment)[0] for shipment in waiting} == {"waiting"}


class TestFulfilledInTheStoreByHand:
    """Staff of the store were faster: that is recorded, and nothing is doubled."""

    def test_exactly_these_lines(self, connected, store):
        order, body = sold(connected, store)
        first = body["line_items"][0]
        shipment = ship(order, {first["id"]: first["quantity"]})
        made = store.fulfilment.by_hand("test", order.shopify_id, {first["id"]: first["quantity"]})
        tell()
        status, note = state(shipment)
        assert status == "told" and "by somebody else" in note
        assert shipment.fulfilments.get().shopify_id == made["id"] and len(in_store(store, order)) == 1

    def test_the_whole_order_at_once(self, connected, store):
        order, body = sold(connected, store)
        first, second = body["line_items"]
        store.fulfilment.by_hand("test", order.shopify_id)
        shipments = [ship(order, {line["id"]: line["quantity"]}, str(line["id"])) for line in (first, second)]
        tell()
        tell()
        assert {state(shipment)[0] for shipment in shipments} == {"told"} and len(in_store(store, order)) == 1

    def test_the_same_tracking_number_where_there_is_room_for_both(self, connected, store):
        order, body = sold(connected, store, pieces=3)
        line = body["line_items"][0]
        store.fulfilment.by_hand("test", order.shopify_id, {line["id"]: 1}, number="JJD1")
        shipment = ship(order, {line["id"]: 1})
        tell()
        assert state(shipment)[0] == "told" and len(in_store(store, order)) == 1

    def test_pieces_that_were_sent_before_are_not_taken_for_the_shipment(self, connected, store):
        order, body = sold(connected, store, pieces=3)
        line = body["line_items"][0]
        store.fulfilment.by_hand("test", order.shopify_id, {line["id"]: 1})
        shipment = ship(order, {line["id"]: 1})
        Shipment.objects.update(created_at="2027-01-01T00:00Z")
        tell()
        assert state(shipment)[0] == "told"
        assert in_store(store, order) == [({line["id"]: 1}, []), ({line["id"]: 1}, ["JJD1"])]

    def test_only_some_of_the_pieces(self, connected, store):
        order, body = sold(connected, store, pieces=3)
        line = body["line_items"][0]
        store.fulfilment.by_hand("test", order.shopify_id, {line["id"]: 1})
        shipment = ship(order, {line["id"]: line["quantity"]})
        tell()
        assert state(shipment)[0] == "blocked" and len(in_store(store, order)) == 1
        services.settle_shipment(shipment=shipment, was_told=True, reason="The store did the rest.", by=None)
        assert state(shipment)[0] == "told" and len(in_store(store, order)) == 1
