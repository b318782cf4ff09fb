"""The control interface: what the demo's script and curious people use, JSON in and out, loopback only."""

import re
from collections.abc import Callable
from dataclasses import asdict

from sandbox.shopify.core import Core
from sandbox.shopify.orders import VARIANTS
from sandbox.shopify.pages import page, table
from sandbox.shopify.web import Request, Response, Route, html_response, json_response
from sandbox.shopify.webhooks import Delivery

_SHOWN_ROWS = 200


def _add_app(core: Core, request: Request) -> Response:
    app = core.add_app(**request.json())
    return json_response({"client_id": app.client_id, "redirect_uris": app.redirect_uris}, 201)


def _add_shop(core: Core, request: Request) -> Response:
    shop = core.add_shop(**request.json())
    return json_response({"name": shop.name, "id": shop.id, "domain": shop.domain}, 201)


def _add_token(core: Core, request: Request) -> Response:
    return json_response({"access_token": core.issue_token(**request.json())}, 201)


def _add_fault(core: Core, request: Request) -> Response:
    core.add_fault(**request.json())
    return json_response({"ok": True}, 201)


def _add_subscription(core: Core, request: Request) -> Response:
    row = core.subscribe(**request.json())
    return json_response({"id": row.id, "topic": row.topic, "uri": row.uri}, 201)


def _place_orders(core: Core, request: Request) -> Response:
    wanted = request.json()
    count, changes = int(wanted.pop("count", 1)), wanted.pop("changes", {})
    orders = [core.place_order(**wanted, **changes) for _ in range(count)]
    return json_response({"orders": orders}, 201)


def _list_orders(core: Core, request: Request, shop: str) -> Response:
    with core.state.lock:
        return json_response({"orders": list(core.state.shops[shop].orders.values())})


def _change_order(core: Core, request: Request, shop: str, order: str, action: str) -> Response:
    actions = {"pay": core.pay_order, "cancel": core.cancel_order, "update": core.update_order}
    return json_response(actions[action](shop, int(order), **request.json()))


def _change_fulfilment(core: Core, request: Request, shop: str, order: str, action: str) -> Response:
    rows = core.fulfilment_orders
    if action == "fulfil":
        return json_response(core.fulfilment.by_hand(shop, int(order), **request.json()), 201)
    actions: dict[str, Callable[..., None]] = {
        "hold": rows.hold,
        "release": rows.release,
        "close": rows.close,
        "move": rows.move,
    }
    actions[action](shop, int(order), **request.json())
    return json_response({"fulfilment_orders": rows.of(shop, int(order))})


def _list_confirmations(core: Core, request: Request, shop: str) -> Response:
    return json_response({"confirmations": core.state.shops[shop].confirmations})


def _emit(core: Core, request: Request) -> Response:
    return json_response({"deliveries": [row.summary() for row in core.emit(**request.json())]}, 201)


def _repeat(core: Core, request: Request, delivery: str) -> Response:
    rows = {row.id: row for row in core.deliveries}
    return json_response(core.repeat(rows[int(delivery)]).summary(), 201)


def _list_deliveries(core: Core, request: Request) -> Response:
    wait = float(request.query.get("wait", ["0"])[0])
    idle = core.wait_idle(wait)
    return json_response({"idle": idle, "deliveries": [row.summary() for row in core.deliveries]})


def _list_subscriptions(core: Core, request: Request) -> Response:
    with core.state.lock:
        rows = [asdict(row) for row in core.state.subscriptions.values()]
    shown = ("id", "shop", "topic", "uri", "client_id", "api_version", "name")
    return json_response({"subscriptions": [{name: row[name] for name in shown} for row in rows]})


def _set_weather(core: Core, request: Request) -> Response:
    core.set_weather(**request.json())
    return json_response({"ok": True})


def _uninstall(core: Core, request: Request, shop: str) -> Response:
    return json_response({"deliveries": [row.summary() for row in core.uninstall(shop, **request.json())]}, 201)


def _drop_subscriptions(core: Core, request: Request, shop: str) -> Response:
    return json_response({"dropped": core.drop_subscriptions(shop, *request.json().get("topics", []))}, 201)


def _privacy(core: Core, request: Request, shop: str, wish: str) -> Response:
    wishes: dict[str, Callable[..., list[Delivery]]] = {
        "data_request": core.ask_for_data,
        "redact_customer": core.redact_customer,
        "redact": core.redact_shop,
    }
    return json_response({"deliveries": [row.summary() for row in wishes[wish](shop, **request.json())]}, 201)


def _list_variants(core: Core, request: Request) -> Response:
    return json_response({"variants": list(VARIANTS)})


def _home(core: Core, request: Request) -> Response:
    with core.state.lock:
        shops = list(core.state.shops.values())
        orders = [(shop.name, order) for shop in shops for order in shop.orders.values()]
    columns = ("shop", "name", "id", "total_price", "currency", "financial_status", "updated_at")
    order_rows = [(shop, *(order[name] for name in columns[1:])) for shop, order in orders[-_SHOWN_ROWS:]]
    shop_rows = [(shop.domain, shop.plan, len(shop.collections), len(shop.orders)) for shop in shops]
    shown = ("id", "topic", "shop", "webhook_id", "status", "status_code", "attempts", "error")
    delivery_rows = [[row.summary()[name] for name in shown] for row in core.deliveries[-_SHOWN_ROWS:]]
    content = (
        f"<h2>Shops</h2>{table(('shop', 'plan', 'collections', 'orders'), shop_rows)}"
        f"<h2>Orders</h2>{table(columns, order_rows)}<h2>Webhook deliveries</h2>{table(shown, delivery_rows)}"
    )
    return html_response(page("Sandbox Shopify", content))


def _checked(function: Callable[..., Response]) -> Callable[..., Response]:
    """Answer 400 for a wrong argument and 404 for a name that is not there."""

    def call(core: Core, request: Request, **names: str) -> Response:
        try:
            return function(core, request, **names)
        except KeyError as error:
            return json_response({"error": f"There is no {error}."}, 404)
        except (TypeError, ValueError) as error:
            return json_response({"error": str(error)}, 400)

    return call


_TABLE = (
    ("GET", "/", _home),
    ("POST", "/control/apps", _add_app),
    ("POST", "/control/shops", _add_shop),
    ("POST", "/control/tokens", _add_token),
    ("POST", "/control/faults", _add_fault),
    ("GET", "/control/subscriptions", _list_subscriptions),
    ("POST", "/control/subscriptions", _add_subscription),
    ("POST", "/control/orders", _place_orders),
    ("GET", "/control/shops/(?P<shop>[^/]+)/orders", _list_orders),
    ("POST", "/control/shops/(?P<shop>[^/]+)/orders/(?P<order>[0-9]+)/(?P<action>pay|cancel|update)", _change_order),
    (
        "POST",
        "/control/shops/(?P<shop>[^/]+)/orders/(?P<order>[0-9]+)/(?P<action>hold|release|close|move|fulfil)",
        _change_fulfilment,
    ),
    ("GET", "/control/shops/(?P<shop>[^/]+)/confirmations", _list_confirmations),
    ("POST", "/control/shops/(?P<shop>[^/]+)/uninstall", _uninstall),
    ("POST", "/control/shops/(?P<shop>[^/]+)/drop_subscriptions", _drop_subscriptions),
    ("POST", "/control/shops/(?P<shop>[^/]+)/privacy/(?P<wish>data_request|redact_customer|redact)", _privacy),
    ("POST", "/control/emit", _emit),
    ("GET", "/control/deliveries", _list_deliveries),
    ("POST", "/control/deliveries/(?P<delivery>[0-9]+)/repeat", _repeat),
    ("POST", "/control/weather", _set_weather),
    ("GET", "/control/variants", _list_variants),
)
CONTROL_ROUTES: list[Route] = [(method, re.compile(path), _checked(function)) for method, path, function in _TABLE]
