"""The days of a store against what Hemi has, and the button that recovers the gap."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from orders import completeness, fetches
from orders.models import CompletenessDay, Order, OrderFetch
from orders.tests.connected import connect
from sandbox.shopify import ShopifySandbox
from suppliers.models import SupplierOrder
from suppliers.tests import factories

DAY = timedelta(days=1)


@pytest.fixture
def store():
    with ShopifySandbox() as sandbox:
        sandbox.add_app("client", "secret-of-the-app", [])
        sandbox.add_shop("test")
        yield sandbox


@pytest.fixture
def connected(account, store, settings):
    return connect(account, store, settings, orders_from=timezone.now() - 60 * DAY)


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def at(days, hour=12):
    """Return a moment some days ago, as a store writes it."""
    day = timezone.now().astimezone(UTC).date() - days * DAY
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC).isoformat()


def place(store, days, count=1, hour=12):
    moment = at(days, hour)
    rows = [store.place_order("test", announce=False, created_at=moment, updated_at=moment) for _ in range(count)]
    return [row["id"] for row in rows]


def counts():
    return {
        (timezone.now().astimezone(UTC).date() - row.day).days: (row.in_store, row.stored)
        for row in CompletenessDay.objects.filter(in_store__gt=0)
    }


def page(client, account):
    return client.get(f"/admin/integrations/accountshopify/{account.pk}/change/").content.decode()


def test_the_last_fortnight_is_compared_by_days_of_utc(connected, store):
    place(store, 1, 2, hour=0)
    place(store, 1, 1, hour=23)
    place(store, 13)
    place(store, 14)
    assert completeness.compare_days() == completeness.DAYS
    assert counts() == {1: (3, 0), 13: (1, 0)}


def test_a_gap_is_named_recovered_and_counted_again(connected, store, boss):
    wanted = place(store, 2, 3)
    completeness.compare_days()
    assert sorted(row["id"] for row in CompletenessDay.objects.get(in_store=3).missing) == sorted(wanted)
    shown = page(boss, connected)
    assert "#1001 (" in shown and "3 missing" in shown and "0 %" in shown
    url = f"/admin/integrations/accountshopify/{connected.pk}/recover_orders/"
    answer = boss.post(url, {"_form_submitted": "on"})
    fetch = OrderFetch.objects.get()
    assert answer.url == f"/admin/orders/orderfetch/{fetch.pk}/change/"
    assert not Order.objects.exists()  # a worker does it
    assert 'http-equiv="refresh"' in boss.get(answer.url).content.decode()
    fetches.fetch()
    fetch.refresh_from_db()
    assert (fetch.status, fetch.seen, fetch.new) == (OrderFetch.Status.DONE, 3, 3)
    assert 'http-equiv="refresh"' not in boss.get(answer.url).content.decode()
    assert completeness.compare_days() == 1
    assert counts() == {2: (3, 3)}
    shown = page(boss, connected)
    assert "#1001 (" not in shown and "100 %" in shown
    assert boss.post(url, {"_form_submitted": "on"}, follow=True).status_code == 200
    assert OrderFetch.objects.count() == 1  # nothing is missing any more


def test_a_day_that_is_shown_no_more_asks_for_nothing(connected, store, boss):
    place(store, 2)
    completeness.compare_days()
    CompletenessDay.objects.filter(in_store=1).update(day=completeness.first_day() - DAY)
    boss.post(f"/admin/integrations/accountshopify/{connected.pk}/recover_orders/", {"_form_submitted": "on"})
    assert not OrderFetch.objects.exists()


def test_today_and_yesterday_are_compared_hourly_and_the_rest_daily(connected, store):
    completeness.compare_days()
    assert completeness.compare_days() == 0
    shift = timedelta(minutes=61)
    for row in CompletenessDay.objects.all():
        CompletenessDay.objects.filter(pk=row.pk).update(due_at=row.due_at - shift)
    assert completeness.compare_days() == 2
    CompletenessDay.objects.update(due_at=timezone.now())
    assert completeness.compare_days() == completeness.DAYS


def test_orders_before_the_cut_over_are_not_expected(account, store, settings):
    connect(account, store, settings, orders_from=datetime.fromisoformat(at(2, 10)))
    place(store, 2, hour=9)
    place(store, 2, hour=11)
    place(store, 3)
    completeness.compare_days()
    assert counts() == {2: (1, 0)}


@pytest.mark.parametrize("columns", [{"access_token": ""}, {"disconnected_at": timezone.now()}])
def test_accounts_that_cannot_be_asked_are_not_compared(account, store, settings, columns):
    connect(account, store, settings, **columns)
    assert completeness.compare_days() == 0
    assert not CompletenessDay.objects.exists()


def test_a_store_in_trouble_leaves_the_day_as_it_was_for_an_hour(connected, store, monkeypatch):
    monkeypatch.setattr("integrations.shopify.client.PAUSE_SECONDS", 0.01)
    place(store, 1)
    completeness.compare_days()
    before = CompletenessDay.objects.values_list("in_store", "stored", "checked_at").get(in_store=1)
    CompletenessDay.objects.filter(in_store=1).update(due_at=timezone.now())
    store.add_fault("500", 9)
    completeness.compare_days()
    row = CompletenessDay.objects.get(in_store=1)
    assert (row.in_store, row.stored, row.checked_at) == before
    assert timedelta(minutes=55) < row.due_at - timezone.now() < timedelta(minutes=65)


def test_a_day_of_very_many_orders_is_counted_whole(connected, store, monkeypatch):
    monkeypatch.setattr("integrations.shopify.order_lists.RESTART_AFTER", 250)
    monkeypatch.setattr("sandbox.shopify.paging.LIST_MAXIMUM", 450)
    orders = store.state.shops["test"].orders
    first = store.place_order("test", announce=False)
    day = datetime.fromisoformat(at(1, 1))
    for number in range(1000):
        moment = (day + timedelta(seconds=number)).isoformat()
        orders[number] = {**first, "id": number, "created_at": moment, "updated_at": moment}
    completeness.compare_days()
    assert counts()[1] == (1000, 0)


def test_sent_and_confirmed_are_whole_orders(connected, store, boss):
    supplier, status = factories.supplier(), SupplierOrder.Status
    yesterday = datetime.fromisoformat(at(1))
    for states in ([status.SHIPPED, status.ACCEPTED], [status.SENT], [status.SENT, status.READY], []):
        order = factories.order(account=connected, placed_at=yesterday)
        for revision, state in enumerate(states, 1):
            factories.part(supplier, order=order, status=state, revision=revision)
    completeness.compare_days()
    row = CompletenessDay.objects.get(day=yesterday.date())
    inline = boss.get(f"/admin/integrations/accountshopify/{connected.pk}/change/").context["inline_admin_formsets"]
    (shown,) = [entry.opts for entry in inline if entry.opts.model is CompletenessDay]
    assert (shown.sent(row), shown.confirmed(row)) == (2, 1)


def test_the_list_says_it_in_a_word(connected, store, boss):
    place(store, 1)
    completeness.compare_days()
    assert "1 missing" in boss.get("/admin/integrations/accountshopify/").content.decode()


def test_without_the_right_nothing_is_fetched(connected, store, client):
    place(store, 1)
    completeness.compare_days()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_accountshopify"))
    client.force_login(viewer)
    for name in ("recover_orders", "fetch_orders"):
        url = f"/admin/integrations/accountshopify/{connected.pk}/{name}/"
        assert client.post(url, {"_form_submitted": "on", "since": "2026-11-01"}).status_code == 403
    assert not OrderFetch.objects.exists()
