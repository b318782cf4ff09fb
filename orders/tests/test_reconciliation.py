"""Orders that no webhook brought are found, once, and runs that break off go on."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import AccountEvent, AccountShopify
from integrations.shopify import order_lists, order_queries, payloads
from orders import intake, reconciliation, reread
from orders.models import Order, OrderEvent
from orders.tests.connected import SCOPES, connect, later, make_due
from sandbox.shopify import VARIANTS, ShopifySandbox


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("integrations.shopify.client.PAUSE_SECONDS", 0.01)


@pytest.fixture
def store():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "secret-of-the-app", [])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def connected(account, store, settings):
    return connect(account, store, settings)


def place(store, count=1, **changes):
    return [store.place_order("test", announce=False, **changes) for _ in range(count)]


def ids():
    return sorted(Order.objects.values_list("shopify_id", flat=True))


def snapshot(body):
    return payloads.parse_order(json.dumps(body).encode())


def again(account):
    make_due(account)
    return reconciliation.reconcile()


@pytest.mark.parametrize("lost", ["updatedAt", "pageInfo { hasNextPage endCursor }", "taxesIncluded"])
def test_an_answer_that_is_not_shopifys_is_said_and_stops_nothing_else(connected, store, monkeypatch, lost):
    place(store, 2)
    document = order_queries.CHANGED_ORDERS.replace(lost, "", 1)
    monkeypatch.setattr(order_queries, "CHANGED_ORDERS", document)  # an answer that lacks a field
    assert reconciliation.reconcile() == 1
    connected.refresh_from_db()
    assert "not what was asked for" in connected.reconcile_error or "holds no list" in connected.reconcile_error
    assert not Order.objects.exists()
    monkeypatch.undo()
    again(connected)
    assert Order.objects.count() == 2


def test_orders_that_no_webhook_brought_are_taken_once(connected, store):
    placed = place(store, 30)
    assert reconciliation.reconcile() == 1
    assert ids() == sorted(order["id"] for order in placed)
    events, before = OrderEvent.objects.count(), list(Order.objects.order_by("pk").values())
    assert again(connected) == 1
    assert (OrderEvent.objects.count(), list(Order.objects.order_by("pk").values())) == (events, before)


@pytest.mark.parametrize("variant", VARIANTS)
def test_webhook_then_list_changes_no_row(connected, store, variant):
    body = store.place_order("test", variant=variant, announce=False, created_at=later(), updated_at=later())
    intake.store(connected, snapshot(body))
    before, lines = Order.objects.values().get(), list(Order.objects.get().lines.values())
    reconciliation.reconcile()
    assert Order.objects.values().get() == before
    assert list(Order.objects.get().lines.values()) == lines


def test_not_due_means_not_asked(connected, store):
    reconciliation.reconcile()
    place(store)
    assert reconciliation.reconcile() == 0
    assert ids() == []


def test_the_next_run_overlaps_and_stands_on_the_watermark(connected, store):
    reconciliation.reconcile()
    connected.refresh_from_db()
    assert connected.reconciled_until < timezone.now() - reconciliation.OVERLAP + timedelta(seconds=5)
    late = place(store, updated_at=later(-600))  # its change shows up in the search only now
    again(connected)
    assert ids() == [late[0]["id"]]


def test_long_orders_are_read_whole(connected, store):
    [body] = place(store)
    lines = [{**body["line_items"][0], "id": 9_000 + number} for number in range(70)]
    store.update_order("test", body["id"], line_items=lines)
    reconciliation.reconcile()
    assert Order.objects.get().lines.count() == 70


def test_a_changed_order_is_brought_up_to_date(connected, store):
    [body] = place(store, financial_status="pending")
    intake.store(connected, snapshot(body))
    store.pay_order("test", body["id"])
    reconciliation.reconcile()
    reread.reread()  # both states may be of the same second; then the store is asked once more
    order = Order.objects.get()
    assert order.paid_at and order.state == Order.State.READY


class Cut(Exception):
    """The process dies here."""


def test_a_killed_run_goes_on_where_it_was(connected, store, monkeypatch):
    bodies = [
        store.place_order("test", announce=False, updated_at=later(number), created_at=later(number))
        for number in range(30)
    ]
    original = order_lists.changed

    def dies(client, since, *rest):
        for number, page in enumerate(original(client, since, *rest)):
            if number == 2:
                raise Cut
            yield page

    monkeypatch.setattr(order_lists, "changed", dies)
    with pytest.raises(Cut):
        reconciliation.reconcile()
    monkeypatch.setattr(order_lists, "changed", original)
    assert len(ids()) == 24
    connected.refresh_from_db()
    assert connected.reconciled_until == snapshot(bodies[23]).shop_updated_at
    assert reconciliation.reconcile() == 0  # somebody may still be at it
    AccountShopify.objects.update(reconcile_lease_until=timezone.now() - timedelta(seconds=1))
    assert reconciliation.reconcile() == 1
    assert ids() == sorted(body["id"] for body in bodies)
    assert OrderEvent.objects.filter(kind="received").count() == 30


def test_a_long_run_is_cut_into_slices(connected, store, monkeypatch):
    monkeypatch.setattr(reconciliation, "SLICE_SECONDS", 0)
    for number in range(30):
        store.place_order("test", announce=False, updated_at=later(number))
    counts = []
    while reconciliation.reconcile():
        counts.append(Order.objects.count())
        assert len(counts) < 9
    assert counts[0] < 30 == counts[-1] and len(counts) == 3


def test_a_run_in_slices_overlaps_with_the_next_one(connected, store, monkeypatch):
    monkeypatch.setattr(reconciliation, "SLICE_SECONDS", 0)
    for number in range(30):
        store.place_order("test", announce=False, updated_at=later(number - 60))
    while reconciliation.reconcile():
        pass
    connected.refresh_from_db()
    assert connected.reconciled_until <= timezone.now() - reconciliation.OVERLAP
    store.place_order("test", announce=False, updated_at=later(-300))  # its change shows up in the search only now
    make_due(connected)
    while reconciliation.reconcile():
        pass
    assert Order.objects.count() == 31


def test_nothing_from_before_the_cut_over_is_read(connected, store):
    AccountShopify.objects.update(orders_from=timezone.now() - timedelta(seconds=60))
    reconciliation.reconcile()
    place(store, created_at=later(-600), updated_at=later(-600))
    again(connected)
    assert ids() == []


def test_a_cut_over_to_come_that_is_moved_back_leaves_nothing_out(connected, store):
    AccountShopify.objects.update(orders_from=timezone.now() + timedelta(days=9))
    reconciliation.reconcile()
    AccountShopify.objects.update(orders_from=timezone.now())
    place(store, 1, created_at=later(), updated_at=later())
    again(connected)
    assert len(ids()) == 1


def test_a_very_long_list_is_asked_for_in_parts(connected, store, monkeypatch):
    monkeypatch.setattr(order_lists, "RESTART_AFTER", 20)
    monkeypatch.setattr("sandbox.shopify.paging.LIST_MAXIMUM", 25)
    for number in range(60):
        store.place_order("test", announce=False, updated_at=later(number))
    reconciliation.reconcile()
    assert Order.objects.count() == 60


def test_a_worker_that_lost_its_lease_changes_nothing(connected, store, monkeypatch):
    place(store, 30)
    original = order_lists.changed

    def taken_over(client, since, *rest):
        for page in original(client, since, *rest):
            AccountShopify.objects.update(reconcile_lease="another", reconciled_until=None)
            yield page

    monkeypatch.setattr(order_lists, "changed", taken_over)
    reconciliation.reconcile()
    connected.refresh_from_db()
    assert (connected.reconcile_lease, connected.reconciled_until) == ("another", None)


def test_a_store_in_trouble_is_left_alone_for_a_while_and_the_account_says_so(connected, store):
    place(store)
    store.add_fault("500", 99)
    reconciliation.reconcile()
    connected.refresh_from_db()
    assert "could not be compared: Shopify answered 500" in connected.reconcile_error
    first = connected.reconcile_next_at - timezone.now()
    assert timedelta(seconds=20) < first < timedelta(minutes=2)
    again(connected)
    connected.refresh_from_db()
    assert connected.reconcile_attempts == 2
    assert AccountEvent.objects.filter(kind="orders_not_compared").count() == 1
    store.faults.clear()
    again(connected)
    connected.refresh_from_db()
    assert (connected.reconcile_error, connected.reconcile_attempts, Order.objects.count()) == ("", 0, 1)
    assert AccountEvent.objects.filter(kind="orders_compared").count() == 1


def test_one_order_that_cannot_be_read_stops_no_other(connected, store):
    place(store)
    money = {"amount": "9" * 20, "currency_code": "EUR"}
    place(store, total_price=money["amount"], total_price_set={"shop_money": money, "presentment_money": money})
    place(store)
    reconciliation.reconcile()
    connected.refresh_from_db()
    assert Order.objects.count() == 2
    assert "could not be read: #1002" in connected.reconcile_error
    make_due(connected, reconciled_until=timezone.now() + timedelta(minutes=1))  # it is not listed any more
    reconciliation.reconcile()
    connected.refresh_from_db()
    assert connected.reconcile_error == ""
    assert "stands under Completeness" in AccountEvent.objects.get(kind="orders_compared").text


@pytest.mark.parametrize(
    "columns",
    [
        {"access_token": ""},
        {"disconnected_at": timezone.now()},
        {"problem": AccountShopify.Problem.REAUTHORISE},
    ],
)
def test_accounts_that_cannot_be_asked_are_skipped(account, store, settings, columns):
    connect(account, store, settings, **columns)
    store.add_fault("500")
    assert reconciliation.reconcile() == 0
    account.refresh_from_db()
    assert account.reconcile_error == ""


def test_what_sixty_days_hide_is_said_once(account, store, settings):
    connect(account, store, settings, orders_from=timezone.now() - timedelta(days=90))
    place(store, created_at=later(days=-70), updated_at=later(days=-70))
    reconciliation.reconcile()
    again(account)
    assert ids() == []
    event = AccountEvent.objects.get(kind="orders_hidden")
    assert "read_all_orders was not granted" in event.text


def test_what_sixty_days_hide_is_said_after_a_long_silence_too(account, store, settings):
    ago = timezone.now() - timedelta(days=90)
    connect(account, store, settings, orders_from=ago, reconciled_until=ago)
    store.add_fault("500", count=100)
    reconciliation.reconcile()
    again(account)
    store.faults.clear()
    again(account)
    again(account)
    account.refresh_from_db()
    assert account.reconciled_until > ago
    assert AccountEvent.objects.filter(kind="orders_hidden").count() == 1


def test_with_read_all_orders_nothing_is_hidden(account, store, settings):
    scopes = [*SCOPES, "read_all_orders"]
    connect(account, store, settings, scopes, orders_from=timezone.now() - timedelta(days=90))
    place(store, created_at=later(days=-70), updated_at=later(days=-70))
    reconciliation.reconcile()
    assert len(ids()) == 1
    assert not AccountEvent.objects.filter(kind="orders_hidden").exists()


def test_shopify_ignoring_the_filter_is_an_error(connected, store, monkeypatch):
    place(store, updated_at=later(days=-3))
    monkeypatch.setattr("sandbox.shopify.search._FIELDS", ())
    reconciliation.reconcile()
    connected.refresh_from_db()
    assert "outside the time" in connected.reconcile_error and ids() == []
