"""Changes of an order after its file was sent, for the tests."""

LATER = "2026-11-20T12:00:00+01:00"
LATER_STILL = "2026-11-20T13:00:00+01:00"


def agree(supplier, how):
    supplier.amendments = how
    supplier.save(update_fields=["amendments"])


def part_of(order, revision):
    return order.supplier_orders.get(revision=revision)


def document(server, name):
    return (server.orders_folder / name).read_bytes()


def changed(body, at=LATER, **values):
    return {**body, "updated_at": at, **values}
