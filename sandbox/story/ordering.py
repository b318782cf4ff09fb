"""From a buyer's order to the supplier's reply."""

from functools import partial
from typing import Any

from sandbox.story import files
from sandbox.story.setting_up import SUPPLIERS
from sandbox.story.stage import SHOP, Stage, expect, until

VARIANTS = (
    "plain",
    "northwind_only",
    "suedhaus_only",
    "name_with_prefix",
    "japanese",
    "symbols",
    "control_characters",
    "yen",
    "line_discount",
    "edited",
    "removed_line",
    "long_ids",
    "shape_2017",
)


def place_orders(stage: Stage) -> str:
    """Place orders of several kinds and wait for every file on the suppliers' servers."""
    orders = [_place(stage, variant) for variant in VARIANTS]
    _wait_for_files(stage, orders)
    return f"{len(orders)} orders ({', '.join(VARIANTS)}), each with its files on {_servers(stage)}"


def pay_later(stage: Stage) -> str:
    """Place an order that is not paid, see that it waits, pay it, and wait for its files."""
    order = _place(stage, "unpaid")
    _wait_for_state(stage, order, "Waiting for payment")
    expect(order["id"] not in _ids_on_servers(stage), "The unpaid order went out.")
    _replace(stage, stage.do(f"shops/{SHOP}/orders/{order['id']}/pay"))
    _wait_for_files(stage, [order])
    return f"{order['name']} waited for payment, was paid, and went out"


def repeat_webhook(stage: Stage) -> str:
    """Let Shopify deliver a webhook again, as it does when it missed an answer."""
    first = next(row for row in stage.see("deliveries")["deliveries"] if row["topic"] == "orders/create")
    row = stage.do(f"deliveries/{first['id']}/repeat")
    until("the repeated webhook to be answered", lambda: _status_code(stage, row["id"]))
    expect(_status_code(stage, row["id"]) == 200, "The repeated webhook was not answered with 200.")
    return f"webhook {first['webhook_id']} was delivered again and answered with 200"


def cancel(stage: Stage) -> str:
    """Cancel two orders, one at once and one before it is paid; a later order goes out, they do not."""
    cancelled = [_place(stage, "cancelled"), _place(stage, "unpaid")]
    stage.do(f"shops/{SHOP}/orders/{cancelled[1]['id']}/cancel", reason="customer")
    for order in cancelled:
        _wait_for_state(stage, order, "Cancelled")
    _wait_for_files(stage, [_place(stage, "plain")])
    ids = _ids_on_servers(stage)
    expect(not ids & {order["id"] for order in cancelled}, "A cancelled order went out.")
    return f"{' and '.join(order['name'] for order in cancelled)} are Cancelled and have no file; the next order has"


def check_files(stage: Stage) -> str:
    """Read every file back, validate it, and compare its lines with the store's order."""
    orders = {order["id"]: order for order in stage.orders}
    for place, (_name, _code, vendor, _encoding) in SUPPLIERS.items():
        for file in files.fetch(stage.world["suppliers"][place]):
            files.check(file, orders[file.order_id], vendor, stage.schema)
            stage.delivered.append(str(stage.folder / "suppliers" / place / "in" / file.name))
            stage.references.append(file.reference)
        told = stage.supplier(place)
        expect(not told["duplicates"], f"{place} got orders twice: {told['duplicates']}")
        expect(not told["broken"], f"{place} saw broken files: {told['broken']}")
    return f"{len(stage.delivered)} files, each valid against {stage.schema.name}, none twice, none half-written"


def see_replies(stage: Stage) -> str:
    """Wait until every supplier order is accepted, and see it on the page of an order."""
    until("every supplier order to be accepted", lambda: not _not_accepted(stage))
    page = stage.staff.open(_page_of(stage, stage.orders[0]))
    rows = [row for row in map(_words, page.root.xpath("//tr")) if any(ref in row for ref in stage.references)]
    expect(any("Accepted" in row for row in rows), f"{page.url} does not say Accepted.")
    return f"{len(stage.references)} supplier orders are Accepted; {page.url}"


def see_overview(stage: Stage) -> str:
    """Read the front page."""
    page = stage.staff.open(f"{stage.hemi}/admin/")
    needs = " ".join(map(_words, page.root.xpath("//*[@id='needs-attention']")))
    expect("Nothing needs attention" in page.text, f"The front page says: {needs or page.text[:300]}")
    return f"{page.url} says “Nothing needs attention.”"


def _place(stage: Stage, variant: str) -> dict:
    (order,) = stage.do("orders", shop=SHOP, variant=variant)["orders"]
    stage.orders.append(order)
    return order


def _replace(stage: Stage, order: dict) -> None:
    stage.orders = [order if known["id"] == order["id"] else known for known in stage.orders]


def _servers(stage: Stage) -> str:
    servers = stage.world["suppliers"].values()
    return " and ".join(f"{server['protocol']}://{server['host']}:{server['port']}" for server in servers)


def _wait_for_files(stage: Stage, orders: list[dict]) -> None:
    for place, (_name, _code, vendor, _encoding) in SUPPLIERS.items():
        wanted = {order["id"] for order in orders if files.lines_for(order, vendor)}
        what = f"{len(wanted)} files on the server of {vendor}"
        until(what, partial(_has_files, stage, place, wanted))


def _has_files(stage: Stage, place: str, wanted: set[int]) -> bool:
    return wanted <= _ids_on_server(stage, place)


def _ids_on_server(stage: Stage, place: str) -> set[int]:
    return {file.order_id for file in files.fetch(stage.world["suppliers"][place])}


def _ids_on_servers(stage: Stage) -> set[int]:
    return set().union(*(_ids_on_server(stage, place) for place in SUPPLIERS))


def _status_code(stage: Stage, delivery: int) -> int | None:
    rows = stage.see("deliveries")["deliveries"]
    return next(row["status_code"] for row in rows if row["id"] == delivery)


def _page_of(stage: Stage, order: dict) -> str:
    return stage.staff.find("orders/order", order["name"])


def _wait_for_state(stage: Stage, order: dict, state: str) -> None:
    rows = f"{stage.hemi}/admin/orders/order/"
    what = f"order {order['name']} to be shown as “{state}”"
    until(what, lambda: any(order["name"] in row and state in row for row in _rows(stage, rows)))


def _not_accepted(stage: Stage) -> list[str]:
    rows = _rows(stage, f"{stage.hemi}/admin/suppliers/supplierorder/")
    accepted = [row for row in rows if "Accepted" in row]
    return [reference for reference in stage.references if not any(reference in row for row in accepted)]


def _rows(stage: Stage, url: str) -> list[str]:
    return [_words(row) for row in stage.staff.open(url).root.xpath("//tr")]


def _words(element: Any) -> str:
    return " ".join(element.text_content().split())
