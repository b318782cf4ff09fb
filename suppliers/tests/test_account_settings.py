"""What an account's changed settings do to the orders that wait for them, or go out because of them."""

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages

from integrations.tests import hints
from integrations.tests.pages import page, save
from orders import tasks
from orders.models import Order
from orders.tests import bodies
from suppliers import routing
from suppliers.models import Delivery

pytestmark = pytest.mark.django_db
State = Order.State


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def change(boss, account, django_capture_on_commit_callbacks):
    """Change the account's settings by its form; returns whether the orders are looked at again, and has it done."""

    def run(**settings):
        hints.sent()
        with django_capture_on_commit_callbacks(execute=True):
            assert not save(boss, page(account), **settings)
        is_asked = "orders.refresh_account" in hints.sent()
        if is_asked:
            tasks.refresh_account(account.pk)
            routing.route()
        return is_asked

    return run


def _route_again(boss, order):
    answer = boss.post(f"/admin/orders/order/{order.pk}/route_again/", {"_form_submitted": "on"})
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_changed_settings_let_go_what_they_held_back(take, north, change):
    change(orders_source_name="web")
    filtered, unpaid = take(source_name="pos"), take(financial_status="pending")
    old = take(created_at="2019-12-31T00:00:00Z")
    assert [order.state for order in (filtered, unpaid, old)] == [State.FILTERED, State.UNPAID, State.TOO_OLD]
    assert change(orders_source_name="", release_when="created", orders_from_0="2019-01-01", orders_from_1="00:00:00")
    for order in (filtered, unpaid, old):
        order.refresh_from_db()
        assert (order.state, order.supplier_orders.count()) == (State.READY, 1)


def test_a_tightened_filter_holds_back_what_has_not_gone(take, north, change):
    lines = [bodies.line(1, 1, "Northwind", "NW-1001", 2)]
    waiting, gone = take(source_name="pos"), take(source_name="pos", line_items=lines)
    gone.supplier_orders.update(status="sent")
    Delivery.objects.filter(supplier_order__order=gone).update(status="sent", step="sent")
    assert change(orders_source_name="web")
    waiting.refresh_from_db(), gone.refresh_from_db()
    assert (waiting.state, gone.state) == (State.FILTERED, State.READY)
    assert waiting.supplier_orders.get().delivery.is_held
    assert change(orders_source_name="")
    assert not waiting.supplier_orders.get().delivery.is_held


def test_other_settings_leave_the_orders_alone(take, north, change):
    take()
    assert not change(client_email="new@test.example")
    assert not Order.objects.get().needs_routing


def test_route_again_looks_at_the_settings_of_now(take, north, account, boss):
    account.orders_source_name = "web"
    account.save()
    order = take(source_name="pos")
    refusal = f"The order does not go out: {order.state_reason}"
    assert _route_again(boss, order) == [refusal]
    account.orders_source_name = ""
    account.save()
    assert refusal not in boss.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert _route_again(boss, order)[-1] == "The rules are asked again within seconds."
    routing.route()
    order.refresh_from_db()
    assert (order.state, order.supplier_orders.count()) == (State.READY, 1)
    account.orders_source_name = "web"
    account.save()
    assert "source name filter" in _route_again(boss, order)[-1]
    order.refresh_from_db()
    assert order.state == State.FILTERED and order.events.filter(kind="route_again").count() == 1
