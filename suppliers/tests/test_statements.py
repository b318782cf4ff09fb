"""Files that speak of many orders, and what a person does about those that fit none."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hemi.tests.one_of_each import order_line
from integrations.subjects import Subject
from orders.models import Shipment
from orders.redaction import know
from orders.services import Refused
from suppliers import redaction
from suppliers.models import Delivery, Endpoint, ReplyColumns, SupplierOrder, SupplierOrderLine, SupplierReply
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
    assert (again.status, states(again)) == ("applied", [])
    assert again.note == "2 statements: 2 nothing new."
    assert (first.order.events.count(), second.order.events.count()) == events
    assert Shipment.objects.count() == 1


def test_rows_that_say_nothing_new_cost_no_lock_each(supplier):
    parts = [sent(supplier) for _ in range(40)]
    text = "".join(f"{part.reference};accepted;;\n" for part in parts)
    snapshot(supplier, text)
    with CaptureQueriesContext(connection) as queries:
        row = snapshot(supplier, text + "\n", "again.csv")
    assert states(row) == [] and row.note.endswith("nothing new.")
    assert len(queries) < 40


def neighbour(supplier):
    """Make a supplier whose orders go to another folder of the same account, and whose replies lie in the first's."""
    account = {"host": "ftp.supplier.example", "port": 22, "username": "same"}
    Endpoint.objects.filter(pk=supplier.endpoint_id).update(**account)
    return factories.supplier(endpoint=factories.endpoint(orders_folder="in/2", replies_folder="", **account))


def test_rows_of_another_folder_of_the_account_cost_no_query_each(supplier):
    other = neighbour(supplier)
    text = "".join(f"{sent(other).reference};accepted;;\n" for _ in range(40))
    assert snapshot(supplier, text).status == "applied"
    with CaptureQueriesContext(connection) as queries:
        assert states(snapshot(supplier, text + "\n", "again.csv")) == []
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


def test_a_bad_row_that_was_settled_stays_and_the_others_stay_on_the_list(supplier):
    row = snapshot(supplier, "ONE;lost;;\nTWO;gone;;\nTHREE;accepted;;\n")
    replies.settle(statement=row.statements.get(reference="ONE"), reason="Known", by=None)
    row.refresh_from_db()
    replies.read_again(reply=row, by=None)
    apply(row)
    assert dict(row.statements.values_list("reference", "status")) == {
        "ONE": "settled",
        "TWO": "unreadable",
        "THREE": "unmatched",
    }
    assert row.statements.get(reference="ONE").note == (
        "Settled: Known. It was: “lost” is not among the words for the states."
    )


def test_a_bad_row_is_told_once_for_each_order_wherever_it_stands(supplier):
    first = snapshot(supplier, "ONE;lost;;\n")
    assert (first.status, states(first)) == ("unreadable", ["unreadable"])
    assert "unreadable" not in states(snapshot(supplier, "\nONE;lost;;\n"))
    other = snapshot(supplier, "TWO;lost;;\nONE;lost;;\n")
    assert list(other.statements.values_list("reference", "status")) == [("TWO", "unreadable")]
    for row in (first, other):
        row.refresh_from_db()
        replies.settle_reply(reply=row, reason="They mend it", by=None)
    assert states(snapshot(supplier, "TWO;lost;;\n\nONE;lost;;\n")) == []


def test_a_whole_order_in_two_parcels_has_both_numbers(supplier):
    part = sent(supplier)
    tracked(supplier, part, "shipped;;;JJ1", "shipped;;;JJ2")
    tracked(supplier, part, "shipped;;;JJ1", "shipped;;;JJ2", "shipped;;;JJ3")
    assert [row.numbers for row in Shipment.objects.all()] == [["JJ1", "JJ2", "JJ3"]]
    assert (part.status, part.attention) == ("shipped", "")


def test_a_parcel_that_a_later_snapshot_tells_with_more_in_it_is_for_a_person(supplier):
    part = sent(supplier)
    tracked(supplier, part, "shipped;MUG;1;JJ1")
    row = tracked(supplier, part, "shipped;MUG;2;JJ1")
    assert (states(row), part.status) == (["applied"], "accepted")
    assert "MUG: 2 in shipment JJ1 now, 1 when it was told first; the store is told of the first." in part.attention
    SupplierOrder.objects.update(attention="")
    assert states(tracked(supplier, part, "shipped;MUG;2;JJ1")) == ["unchanged"]
    assert (list(Shipment.objects.get().quantities.values()), part.attention) == ([1], "")


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


def test_a_reply_that_waits_is_not_called_applied(supplier):
    row = receive(supplier.endpoint, document())
    with pytest.raises(Refused, match="waits for its turn"):
        replies.read_again(reply=row, by=None)


TRACKED = "reference;status;sku;quantity;number\n"


def tracked(supplier, part, *rows):
    """Have a snapshot come with a column for tracking numbers."""
    ReplyColumns.objects.update(tracking_number="number")
    count = supplier.endpoint.replies.count()
    text = TRACKED + "".join(f"{part.reference};{row}\n" for row in rows)
    row = receive(supplier.endpoint, text.encode(), file_name=f"status-{count}.csv")
    apply(row)
    part.refresh_from_db()
    return row


def test_a_tracking_number_that_comes_later_is_of_the_same_shipment(supplier):
    part = sent(supplier)
    tracked(supplier, part, "shipped;MUG;1;")
    tracked(supplier, part, "shipped;MUG;1;JJ1")
    tracked(supplier, part, "shipped;MUG;1;JJ1")
    shipment = Shipment.objects.get()
    assert (list(shipment.quantities.values()), shipment.numbers) == ([1], ["JJ1"])
    assert (part.lines.get().shipped, part.attention) == (1, "")
    tracked(supplier, part, "shipped;MUG;1;JJ1", "shipped;MUG;1;JJ2")
    assert [row.numbers for row in Shipment.objects.order_by("pk")] == [["JJ1"], ["JJ2"]]
    assert part.status == "shipped"


def test_a_despatch_of_all_that_was_called_shipped_before_is_no_second_one(supplier):
    part = sent(supplier)
    apply(receive(supplier.endpoint, document(part.reference, "shipped"), file_name="1.xml"))
    more = "<Shipment><Number>D-1</Number><Carrier>DHL</Carrier><TrackingNumber>JJ1</TrackingNumber></Shipment>"
    numbered = document(part.reference, "shipped").replace(b"</Reply>", f"{more}</Reply>".encode())
    apply(receive(supplier.endpoint, numbered, file_name="2.xml"))
    shipment = Shipment.objects.get()
    assert (shipment.despatch, shipment.carrier, shipment.numbers) == ("D-1", "DHL", ["JJ1"])
    part.refresh_from_db()
    assert part.attention == ""


def test_what_is_open_already_is_not_listed_again_with_each_snapshot(supplier):
    known = sent(supplier)
    rows = [f"HM9-SUP-1;shipped;MUG;1\n{known.reference};accepted;MUG;{count}\n" for count in (1, 2, 2)]
    first = snapshot(supplier, rows[0])
    assert (first.status, sorted(states(first))) == ("partly", ["applied", "unmatched"])
    second = snapshot(supplier, rows[1])
    assert second.status == "applied"
    replies.settle_reply(reply=first, reason="Not ours", by=None)
    third = snapshot(supplier, rows[2] + "\n")
    assert (third.status, "unmatched" in states(third)) == ("applied", False)
    other = snapshot(supplier, rows[2].replace("shipped;MUG;1", "shipped;MUG;2"))
    assert "unmatched" in states(other)


def test_a_row_that_waited_on_the_list_is_applied_once_its_order_is_known(supplier):
    part = sent(supplier)
    reference = part.reference
    SupplierOrder.objects.filter(pk=part.pk).update(reference="HM9-OTHER-1")
    assert snapshot(supplier, f"{reference};shipped;MUG;2\n").status == "unmatched"
    SupplierOrder.objects.filter(pk=part.pk).update(reference=reference)
    assert snapshot(supplier, f"{reference};shipped;MUG;2\n\n").status == "applied"
    assert fresh(part) == ["shipped"]


def test_a_shipment_under_a_replaced_reference_is_matched_to_the_newer_by_hand_and_told_once(supplier):
    part = sent(supplier)
    newer = sent(supplier, order=part.order, revision=2, replaces=part)
    SupplierOrderLine.objects.filter(supplier_order=part).update(is_live=False)
    SupplierOrder.objects.filter(pk=part.pk).update(status=SupplierOrder.Status.REPLACED)
    row = snapshot(supplier, f"{part.reference};shipped;MUG;2\n")
    assert (row.status, Shipment.objects.count()) == ("unmatched", 0)
    assert newer.reference in row.statements.get().note
    replies.match(statement=row.statements.get(), name=newer.reference, by=None)
    assert fresh(newer) == ["shipped"]
    assert Shipment.objects.get().reference == newer.reference
    again = snapshot(supplier, f"{part.reference};shipped;MUG;2\n\n")
    assert (again.status, Shipment.objects.count()) == ("applied", 1)


def test_a_snapshot_keeps_what_was_news_and_its_bytes_only_while_they_tell_something(supplier):
    parts = [sent(supplier) for _ in range(3)]
    text = "".join(f"{part.reference};shipped;MUG;1\n" for part in parts)
    first = snapshot(supplier, text)
    assert (len(states(first)), bytes(first.content)) == (3, (HEADER + text).encode())
    second = snapshot(supplier, text.replace(";1\n", ";2\n", 1))
    assert states(second) == ["applied"] and second.content
    assert second.note == "3 statements: 1 applied, 2 nothing new."
    third = snapshot(supplier, text + "\n")
    assert (third.status, states(third), bytes(third.content)) == ("applied", [], b"")
    assert third.size and third.sha256
    again = snapshot(supplier, text + "\n\n" + f"{parts[0].reference};lost;MUG;1\n")
    assert (again.status, states(again)) == ("partly", ["unreadable"])
    assert again.content  # it can be read again


def test_a_reply_about_one_order_stays_as_it_came(supplier):
    part = sent(supplier)
    for number in range(2):
        row = receive(supplier.endpoint, document(part.reference, "accepted"), file_name=f"{number}.xml")
        apply(row)
        assert len(states(row)) == 1 and row.content


@pytest.mark.parametrize("is_neighbour", [False, True])
def test_a_customer_is_forgotten_in_snapshots_that_only_repeat_what_was_said(supplier, is_neighbour):
    gone, other = sent(neighbour(supplier) if is_neighbour else supplier), sent(supplier)
    snapshot(supplier, f"{gone.reference};accepted;MUG;2\n{other.reference};accepted;MUG;2\n")
    kept = snapshot(supplier, f"{gone.reference};accepted;MUG;2\n{other.reference};shipped;MUG;2\n")
    assert kept.content and [row.reference for row in kept.statements.all()] == [other.reference]
    order = gone.order
    subject = Subject(order.account, timezone.now(), customer_id=7, order_ids=(order.shopify_id,))
    redaction.redact(subject, know(subject))
    assert not any(bytes(row.content) for row in SupplierReply.objects.all())
    kept.refresh_from_db()
    assert kept.redacted_at
