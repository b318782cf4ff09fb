"""Files that speak of many orders, and what a person does about those that fit none."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hemi.tests.one_of_each import order_line
from orders.models import Shipment
from orders.services import Refused
from suppliers.models import Delivery, ReplyColumns, SupplierOrder, SupplierOrderLine, SupplierReply
from suppliers.services import replies
from suppliers.tests import factories
from suppliers.tests.test_replies import apply, document, receive

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "reference;status;sku;quantity\n"


@pytest.fixture
def supplier(db):
    supplier = factories.supplier()
    ReplyColumns.objects.create(endpoint=supplier.endpoint, sku="sku", quantity="quantity")
    return supplier


def sent(supplier, **values):
    part = factories.part(supplier, status=SupplierOrder.Status.SENT, **values)
    factories.delivery(supplier, supplier_order=part, status=Delivery.Status.SENT)
    line = order_line(part.order, sku="MUG", quantity=2, current=2, sendable=2)
    SupplierOrderLine.objects.create(supplier_order=part, order_line=line, quantity=2)
    return part


def snapshot(supplier, text, name="status.csv"):
    row = receive(supplier.endpoint, (HEADER + text).encode(), file_name=name)
    apply(row)
    return row


def states(row):
    return [statement.status for statement in row.statements.all()]


def fresh(*parts):
    for part in parts:
        part.refresh_from_db()
    return [part.status for part in parts]


def test_a_snapshot_of_many_orders_repeated_makes_no_noise(supplier):
    first, second = sent(supplier), sent(supplier)
    text = f"{first.reference};shipped;MUG;2\n{second.reference};accepted;;\n"
    row = snapshot(supplier, text)
    assert (row.status, row.format, states(row)) == ("applied", "CSV", ["applied", "applied"])
    assert fresh(first, second) == ["shipped", "accepted"]
    events = first.order.events.count(), second.order.events.count()
    again = snapshot(supplier, text + "\n", "status-2.csv")
    assert (again.status, states(again)) == ("applied", ["unchanged", "unchanged"])
    assert again.note == "2 statements: 2 nothing new."
    assert (first.order.events.count(), second.order.events.count()) == events
    assert Shipment.objects.count() == 1


def test_rows_that_say_nothing_new_cost_no_lock_each(supplier):
    parts = [sent(supplier) for _ in range(40)]
    text = "".join(f"{part.reference};accepted;;\n" for part in parts)
    snapshot(supplier, text)
    with CaptureQueriesContext(connection) as queries:
        row = snapshot(supplier, text + "\n", "again.csv")
    assert set(states(row)) == {"unchanged"}
    assert len(queries) < 40


def test_bad_rows_are_listed_and_good_ones_applied(supplier):
    part = sent(supplier)
    row = snapshot(supplier, f"{part.reference};lost;;\n{part.reference};accepted;;\nHM9-X-1;accepted;;\n")
    assert (row.status, fresh(part)) == ("partly", ["accepted"])
    assert sorted(states(row)) == ["applied", "unmatched", "unreadable"]
    assert "“lost” is not among the words" in row.statements.get(status="unreadable").note


def test_read_again_after_the_columns_were_mended(supplier):
    part = sent(supplier)
    row = snapshot(supplier, f"{part.reference};versandt;MUG;2\n")
    assert (row.status, fresh(part)) == ("unreadable", ["sent"])
    ReplyColumns.objects.update(words="versandt = shipped")
    replies.read_again(reply=row, by=None)
    apply(row)
    assert (row.status, states(row), fresh(part)) == ("applied", ["applied"], ["shipped"])


def test_what_fits_no_order_is_matched_by_hand(supplier):
    part = sent(supplier)
    row = receive(supplier.endpoint, document("NO-SUCH-1", "accepted"))
    apply(row)
    statement = row.statements.get()
    replies.match(statement=statement, name=f" {part.reference.lower()} ", by=None)
    row.refresh_from_db()
    assert (row.status, row.supplier_order, fresh(part)) == ("applied", part, ["accepted"])
    assert part.order.events.filter(kind="reply_matched").count() == 1
    with pytest.raises(Refused, match="applied or settled already"):
        replies.match(statement=statement, name=part.reference, by=None)


def test_an_order_number_will_do_where_it_names_one_part(supplier):
    part = sent(supplier, order=factories.order(number="#7001"))
    row = receive(supplier.endpoint, document("7001", "accepted"))
    apply(row)
    replies.match_reply(reply=row, name="7001", by=None)
    assert fresh(part) == ["accepted"]


def test_several_parts_of_a_number_are_named(supplier):
    order = factories.order(number="#7002")
    parts = [sent(supplier, order=order, revision=revision) for revision in (1, 2)]
    row = receive(supplier.endpoint, document("7002", "accepted"))
    apply(row)
    with pytest.raises(Refused, match="several parts: " + ", ".join(part.reference for part in parts)):
        replies.match_reply(reply=row, name="#7002", by=None)
    assert fresh(*parts) == ["sent", "sent"]


def test_no_part_of_another_endpoint_is_matched(supplier):
    other = sent(factories.supplier())
    row = receive(supplier.endpoint, document("NO-SUCH-1", "accepted"))
    apply(row)
    with pytest.raises(Refused, match="has a part whose supplier replies at this endpoint"):
        replies.match_reply(reply=row, name=other.reference, by=None)
    assert (fresh(other), states(row)) == (["sent"], ["unmatched"])


def test_a_part_whose_file_was_never_sent_is_not_matched(supplier):
    part = factories.delivery(supplier).supplier_order
    row = receive(supplier.endpoint, document("NO-SUCH-1", "accepted"))
    apply(row)
    with pytest.raises(Refused, match="never sent"):
        replies.match_reply(reply=row, name=part.reference, by=None)
    assert (states(row), part.order.events.count()) == (["unmatched"], 0)


def test_what_was_matched_or_settled_stays_when_the_file_is_read_again(supplier):
    part = sent(supplier)
    row = snapshot(supplier, "ONE;accepted;;\nTWO;accepted;;\nTHREE;accepted;;\n")
    one, two, _ = row.statements.all()
    replies.match(statement=one, name=part.reference, by=None)
    replies.settle(statement=two, reason="Not ours", by=None)
    row.refresh_from_db()
    assert (row.status, states(row)) == ("partly", ["applied", "settled", "unmatched"])
    replies.read_again(reply=row, by=None)
    apply(row)
    assert (row.status, states(row)) == ("partly", ["applied", "settled", "unmatched"])
    replies.settle_reply(reply=row, reason="Not ours either", by=None)
    row.refresh_from_db()
    assert (row.status, states(row)) == ("applied", ["applied", "settled", "settled"])


def test_an_unreadable_file_is_settled_with_a_reason(supplier):
    row = receive(supplier.endpoint, b"<broken", file_name="B.xml")
    apply(row)
    with pytest.raises(Refused, match="Give a reason"):
        replies.settle_reply(reply=row, reason=" ", by=None)
    replies.settle_reply(reply=row, reason="Sent by mistake", by=None)
    row.refresh_from_db()
    assert row.status == "settled"
    assert row.note.startswith("Settled: Sent by mistake. It was: It is not well-formed XML")
    with pytest.raises(Refused):
        replies.settle_reply(reply=row, reason="Again", by=None)


def test_a_file_that_was_never_fetched_is_not_read_again(supplier):
    values = {"file_name": "HUGE.xml", "sha256": "size-9", "size": 9, "content": b"", "status": "unreadable"}
    row = SupplierReply.objects.create(endpoint=supplier.endpoint, **values)
    with pytest.raises(Refused, match="never fetched"):
        replies.read_again(reply=row, by=None)
    row.refresh_from_db()
    assert row.status == "unreadable"
