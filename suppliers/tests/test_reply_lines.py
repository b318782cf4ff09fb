"""What replies do to a part's lines: upwards only, exact quantities to the store, doubts to a person."""

import pytest

from hemi.tests.one_of_each import order_line
from orders.models import OrderLine, Shipment
from suppliers.models import Delivery, ReplyStatement, SupplierOrder, SupplierOrderLine
from suppliers.parts import take_back_rejected
from suppliers.tests import factories
from suppliers.tests.test_replies import apply, document, receive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def part():
    """A part of two lines, 3 × SKU A and 2 × SKU B, whose file the supplier has."""
    supplier = factories.supplier(name="North")
    part = factories.part(supplier, status=SupplierOrder.Status.SENT)
    factories.delivery(supplier, supplier_order=part, status=Delivery.Status.SENT)
    for sku, quantity in (("A", 3), ("B", 2)):
        line = order_line(part.order, sku=sku, quantity=quantity, current=quantity, sendable=quantity)
        SupplierOrderLine.objects.create(supplier_order=part, order_line=line, quantity=quantity)
    return part


def say(part, status, *lines, despatch="", shipment=""):
    """Have the supplier reply; each of `lines` is (number, status, quantity or "")."""
    rows = "".join(_line(*line) for line in lines)
    number = f"<Number>{despatch}</Number>" if despatch else ""
    more = f"<Shipment>{number}{shipment}</Shipment>" if number or shipment else ""
    more += f"<Lines>{rows}</Lines>" if rows else ""
    content = document(part.reference, status).replace(b"</Reply>", f"{more}</Reply>".encode())
    count = part.supplier.endpoint.replies.count()
    row = receive(part.supplier.endpoint, content, file_name=f"R{count}.xml")
    apply(row)
    part.refresh_from_db()
    return row.statements.get()


def _line(number, status, quantity="", reason=""):
    count = f"<Quantity>{quantity}</Quantity>" if quantity != "" else ""
    why = f"<Reason>{reason}</Reason>" if reason else ""
    return f'<Line number="{number}"><Status>{status}</Status>{count}{why}</Line>'


def lines(part):
    return [(line.reply_status, line.confirmed, line.shipped) for line in part.lines.all()]


def shipped():
    """Return what the store is told, by SKU."""
    found = []
    for shipment in Shipment.objects.order_by("pk"):
        skus = {str(line.shopify_id): line.sku for line in shipment.order.lines.all()}
        found.append({skus[key]: count for key, count in shipment.quantities.items()})
    return found


def test_a_reply_without_lines_holds_for_all_of_them(part):
    say(part, "accepted")
    assert (part.status, lines(part)) == ("accepted", [("accepted", 3, 0), ("accepted", 2, 0)])


def test_lines_that_fare_differently(part):
    said = say(part, "accepted", (2, "rejected", "", "Sold out"))
    assert (part.status, lines(part)) == ("accepted", [("accepted", 3, 0), ("rejected", 0, 0)])
    assert part.attention == "North rejects B (Sold out). From the order, route the lines again or send them elsewhere."
    assert (said.kind, said.status) == ("rejected", "applied")


def test_fewer_pieces_than_ordered_are_seen(part):
    say(part, "taken", (1, "accepted", 2))
    assert lines(part)[0] == ("accepted", 2, 0)
    assert part.attention.startswith("North rejects 1 of 3 × A. The supplier keeps the pieces that it accepts.")
    assert "Order the missing ones elsewhere" in part.attention and "route the lines" not in part.attention


def test_shipments_add_up_until_all_accepted_pieces_are_shipped(part):
    say(part, "accepted", (2, "rejected"))
    say(part, "shipped", (1, "shipped", 2), despatch="D-1")
    assert (part.status, lines(part)[0]) == ("accepted", ("accepted", 3, 2))
    say(part, "shipped", (1, "shipped", 1), despatch="D-2")
    assert (part.status, lines(part)) == ("shipped", [("shipped", 3, 3), ("rejected", 0, 0)])
    assert shipped() == [{"A": 2}, {"A": 1}]


def test_the_same_despatch_again_changes_nothing(part):
    say(part, "shipped", (1, "shipped", 2), despatch="D-1", shipment="<Carrier>DHL</Carrier>")
    before = lines(part)
    again = say(part, "shipped", (1, "shipped", 2), despatch="D-1", shipment="<Carrier>DHL</Carrier> ")
    assert (again.status, lines(part), shipped()) == ("unchanged", before, [{"A": 2}])
    assert part.attention == ""


JJ1 = "<TrackingNumber>JJ1</TrackingNumber>"


@pytest.mark.parametrize(
    ("lines_then", "words"),
    [
        (
            [(1, "shipped", 2), (2, "shipped", 1)],
            "B: 1 in shipment D-1 now, 0 when it was told first; the store is told of the first.",
        ),
        ([(1, "shipped", 3)], "A: 3 in shipment D-1 now, 2 when it was told first; the store is told of the first."),
        ([(1, "shipped", 1)], "A: 1 in shipment D-1 now, 2 when it was told first; the store is told of the first."),
    ],
)
def test_a_despatch_told_again_with_other_pieces_is_for_a_person(part, lines_then, words):
    say(part, "shipped", (1, "shipped", 2), despatch="D-1", shipment=JJ1)
    for _ in range(2):
        say(part, "shipped", *lines_then, despatch="D-1", shipment=JJ1)
        assert words in part.attention
    assert shipped() == [{"A": 2}]
    assert part.order.events.filter(kind="reply_doubtful").count() == 1


def test_a_despatch_told_again_with_other_tracking_is_for_a_person(part):
    say(part, "shipped", (1, "shipped", 3), despatch="D-1", shipment=JJ1)
    say(part, "shipped", (1, "shipped", 3), despatch="D-1", shipment=JJ1.replace("1", "9"))
    assert (
        "Shipment D-1 has tracking JJ9 now, JJ1 when it was told first; the store is told of the first."
        in part.attention
    )
    assert Shipment.objects.get().numbers == ["JJ1"]


def test_what_was_too_much_is_the_same_when_it_is_told_again(part):
    for _ in range(2):
        say(part, "shipped", (1, "shipped", 5), despatch="D-1")
        SupplierOrder.objects.update(attention="")
    part.refresh_from_db()
    assert (shipped(), part.attention) == ([{"A": 3}], "")


def test_two_advices_of_one_parcel_are_one_shipment(part):
    say(part, "shipped", (1, "shipped", 1), despatch="D-1", shipment=JJ1)
    say(part, "shipped", (1, "shipped", 1), despatch="D-2", shipment=JJ1)
    assert shipped() == [{"A": 1}]
    assert "Shipment D-2 has the pieces and the tracking of D-1 and is taken for it." in part.attention
    say(part, "shipped", (1, "shipped", 1), despatch="D-3", shipment=JJ1.replace("1", "2"))
    assert shipped() == [{"A": 1}, {"A": 1}]


def test_two_advices_of_all_that_was_ordered_are_one_shipment_without_a_word(part):
    for despatch in ("D-1", "D-2"):
        say(part, "shipped", (1, "shipped", 3), (2, "shipped", 2), despatch=despatch, shipment=JJ1)
    assert (part.status, shipped(), part.attention) == ("shipped", [{"A": 3, "B": 2}], "")


def test_a_despatch_without_lines_is_all_that_is_left(part):
    say(part, "shipped", (1, "shipped", 2), despatch="D-1")
    say(part, "shipped", despatch="D-2")
    assert (part.status, shipped()) == ("shipped", [{"A": 2}, {"A": 1, "B": 2}])


def test_without_a_number_quantities_are_what_was_shipped_so_far(part):
    for total in (1, 1, 3, 3, 2):
        say(part, "shipped", (1, "shipped", total))
    assert (lines(part)[0], shipped()) == (("shipped", None, 3), [{"A": 1}, {"A": 2}])
    assert list(Shipment.objects.order_by("pk").values_list("despatch", flat=True)) == [
        f"{part.reference}/1",
        f"{part.reference}/2",
    ]


def test_what_is_too_much_is_shown_and_not_sent(part):
    said = say(part, "shipped", (1, "shipped", 5), despatch="D-1")
    assert (lines(part)[0], shipped()) == (("shipped", None, 3), [{"A": 3}])
    assert "A: 5 shipped where 3 were ordered; 3 are told to the store." in part.attention
    assert said.status == "applied"


def test_what_was_rejected_may_be_shipped_after_all(part):
    say(part, "rejected")
    say(part, "shipped", (1, "shipped", 3), despatch="D-1")
    assert (part.status, lines(part)) == ("shipped", [("shipped", 3, 3), ("rejected", 0, 0)])
    assert shipped() == [{"A": 3}]
    assert part.attention == "North rejects B. From the order, route the lines again or send them elsewhere."
    say(part, "shipped", (2, "shipped", 2), despatch="D-2")
    assert (part.attention, part.order.__class__.objects.get().needs_routing) == ("", True)


def test_missing_pieces_that_are_accepted_later_need_nobody_any_more(part):
    say(part, "accepted", (1, "accepted", 2))
    assert "rejects 1 of 3 × A" in part.attention
    say(part, "accepted", (1, "accepted", 3))
    assert part.attention == ""


@pytest.mark.parametrize("order", [("accepted", "rejected"), ("rejected", "accepted"), ("shipped", "rejected")])
def test_nothing_goes_down_and_a_contradiction_is_for_a_person(part, order):
    say(part, order[0])
    before = lines(part)
    say(part, order[1])
    assert (part.status, lines(part)) == (order[0], before)
    assert f"{order[1]} after {order[0]}" in part.attention


def test_a_contradiction_is_told_once(part):
    say(part, "accepted")
    say(part, "rejected")
    SupplierOrder.objects.update(attention="")
    say(part, "rejected")
    assert part.attention == ""
    assert part.order.events.filter(kind="reply_doubtful").count() == 1


def test_a_line_that_the_file_does_not_have_is_told(part):
    said = say(part, "taken", (7, "accepted", 1))
    assert "names a line that the file does not have (7)" in said.note
    assert [status for status, _, _ in lines(part)] == ["taken", "taken"]


def test_a_second_rejection_hides_no_first(part):
    say(part, "taken", (1, "rejected", 1, "One is broken"))
    say(part, "taken", (2, "rejected", "", "Sold out"))
    assert part.attention.startswith("North rejects B (Sold out), 1 of 3 × A (One is broken). From the order, route")


def test_a_doubt_hides_no_rejection(part):
    say(part, "accepted", (1, "rejected", "", "Sold out"), (7, "accepted", 1))
    doubt, rejection = "names a line that the file does not have (7)", "North rejects A (Sold out). From the order"
    assert doubt in part.attention and rejection in part.attention
    assert part.order.__class__.objects.get().needs_routing
    say(part, "taken", (2, "accepted", 9))
    assert "B: 9 accepted where 2 were ordered" in part.attention and rejection in part.attention


def test_a_later_word_hides_no_doubt(part):
    say(part, "accepted", (1, "rejected", "", "Sold out"), (7, "accepted", 1))
    say(part, "shipped", (2, "shipped", 2), despatch="D-1")
    assert "a line that the file does not have (7)" in part.attention and "North rejects A" in part.attention
    take_back_rejected(part.order.lines.all())
    part.refresh_from_db()
    assert "a line that the file does not have (7)" in part.attention and "rejects" not in part.attention


def test_a_reply_hides_no_change_that_waits_for_a_person(part):
    change = "Changed after its file was sent: A, quantity: 3 → 2. Send it on to North, or settle it."
    SupplierOrder.objects.update(attention=change)
    say(part, "taken", (7, "accepted", 1))
    assert part.attention.startswith(f"{change} Besides: North: It names a line that the file does not have (7).")
    for status, *row in (("taken", 1, "rejected", "", "Sold out " * 30), ("shipped", 2, "shipped", 2)):
        say(part, status, tuple(row), despatch="D-1" if status == "shipped" else "")
        assert part.attention.startswith(f"{change} Besides: North: It names a line") and len(part.attention) <= 500
        assert "North rejects A (Sold out" in part.attention
    take_back_rejected(part.order.lines.all())
    part.refresh_from_db()
    assert part.attention.startswith(f"{change} Besides: North: It names") and "rejects" not in part.attention


def test_doubts_without_end_push_no_rejection_out(part):
    say(part, "accepted", (1, "rejected", "", "Sold out"))
    for first in (100, 200):
        say(part, "accepted", *((number, "accepted", 1) for number in range(first, first + 12)))
        assert f"does not have ({first})" in part.attention
        assert "North rejects A (Sold out). From the order, route the lines again" in part.attention


def test_two_lines_of_one_article_share_its_pieces(part):
    for line in part.order.lines.all():
        line.sku = "SAME"
        line.save()
    inner = "<Line><Sku>same</Sku><Status>shipped</Status><Quantity>4</Quantity></Line>"
    content = document(part.reference, "shipped").replace(b"</Reply>", f"<Lines>{inner}</Lines></Reply>".encode())
    apply(receive(part.supplier.endpoint, content))
    assert [count for _, _, count in lines(part)] == [3, 1]


def test_parcels_of_one_article_fill_its_lines_one_after_the_other(part):
    OrderLine.objects.update(sku="SAME")
    inner = "<Lines><Line><Sku>SAME</Sku><Status>shipped</Status><Quantity>{}</Quantity></Line></Lines>"
    for despatch, count in (("D-1", 2), ("D-2", 2), ("D-2", 2), ("D-3", 1)):
        more = f"<Shipment><Number>{despatch}</Number></Shipment>{inner.format(count)}"
        content = document(part.reference, "shipped").replace(b"</Reply>", f"{more}</Reply>".encode())
        apply(receive(part.supplier.endpoint, content, file_name=f"{part.supplier.endpoint.replies.count()}.xml"))
    part.refresh_from_db()
    assert (part.status, part.attention, [count for *_, count in lines(part)]) == ("shipped", "", [3, 2])
    assert [list(row.quantities.values()) for row in Shipment.objects.order_by("pk")] == [[2], [1, 1], [1]]


@pytest.mark.parametrize("is_taken_back", [False, True])
@pytest.mark.parametrize("numbers", [("", ""), ("D-1", "D-2"), ("", "D-1")])
def test_pieces_of_an_article_go_past_a_line_that_is_rejected(part, numbers, is_taken_back):
    OrderLine.objects.update(sku="SAME")
    say(part, "accepted", (1, "rejected"))
    if is_taken_back:
        take_back_rejected(part.order.lines.all())
    inner = "<Lines><Line><Sku>SAME</Sku><Status>shipped</Status><Quantity>{}</Quantity></Line></Lines>"
    is_split = numbers == ("D-1", "D-2")
    for despatch, count in zip(numbers, (1, 1) if is_split else (2, 2), strict=True):
        number = f"<Shipment><Number>{despatch}</Number></Shipment>" if despatch else ""
        content = document(part.reference, "shipped").replace(
            b"</Reply>", f"{number}{inner}</Reply>".format(count).encode()
        )
        apply(receive(part.supplier.endpoint, content, file_name=f"{part.supplier.endpoint.replies.count()}.xml"))
    assert lines(part) == [("rejected", 0, 0), ("shipped", 2, 2)]
    second = part.lines.last().order_line.shopify_id
    told = [row.quantities for row in Shipment.objects.order_by("pk")]
    assert told == ([{str(second): 1}] * 2 if is_split else [{str(second): 2}])


def test_a_reply_about_a_replaced_revision_is_shown_and_moves_nothing(part):
    newer = factories.part(part.supplier, order=part.order, revision=2, replaces=part, status="sent")
    SupplierOrder.objects.filter(pk=part.pk).update(status=SupplierOrder.Status.REPLACED)
    said = say(part, "shipped", despatch="D-1")
    newer.refresh_from_db()
    assert (part.status, newer.status, shipped()) == ("replaced", "sent", [])
    assert part.attention == f"North says shipped of revision 1, which {newer.reference} has replaced."
    assert (said.status, said.note) == ("unmatched", f"{part.attention} Match it to that one if it holds for it.")
    assert part.order.events.filter(kind="reply_too_late").count() == 1


@pytest.mark.parametrize(
    ("status", "needs"), [("accepted", ""), ("rejected", "rejected to"), ("shipped", "shipped to")]
)
def test_a_cancellation_that_is_not_accepted_needs_a_call(part, status, needs):
    SupplierOrder.objects.update(kind=SupplierOrder.Kind.CANCELLATION)
    say(part, status)
    assert (part.status, lines(part), shipped()) == (status, [("", None, 0)] * 2, [])
    assert (f"{status} to the cancellation" in part.attention) == (status != "accepted")
    assert bool(part.attention) == (status != "accepted")


def test_a_cancellation_that_is_refused_after_it_was_accepted_is_for_a_person(part):
    SupplierOrder.objects.update(kind=SupplierOrder.Kind.CANCELLATION)
    say(part, "accepted")
    say(part, "rejected")
    assert (part.status, "It is rejected after accepted." in part.attention) == ("accepted", True)


def test_every_reply_is_a_statement_with_its_words(part):
    tracking = (
        "<Carrier>DHL</Carrier><TrackingNumber>JJ1</TrackingNumber><TrackingUrl>https://t.example/1</TrackingUrl>"
    )
    said = say(part, "shipped", despatch="D-1", shipment=tracking)
    assert (said.kind, said.despatch, said.carrier) == ("shipped", "D-1", "DHL")
    shipment = Shipment.objects.get()
    assert (shipment.despatch, shipment.carrier, shipment.numbers) == ("D-1", "DHL", ["JJ1"])
    assert shipment.urls == ["https://t.example/1"]
    assert ReplyStatement.objects.count() == 1


def test_a_line_in_several_parcels_of_one_shipment_adds_up_and_its_repeat_is_the_same(part):
    for _ in range(2):
        say(part, "shipped", (1, "shipped", 1), (1, "shipped", 2), despatch="D-1")
    assert (lines(part)[0], shipped()) == (("shipped", None, 3), [{"A": 3}])
    assert part.attention == ""


def test_a_line_that_is_accepted_in_two_parts_is_accepted_whole(part):
    say(part, "accepted", (1, "accepted", 1), (1, "accepted", 2))
    assert (lines(part)[0], part.attention) == (("accepted", 3, 0), "")


def test_a_line_whose_number_and_sku_name_different_articles_moves_neither(part):
    inner = '<Line number="1"><Sku>B</Sku><Status>rejected</Status></Line>'
    content = document(part.reference, "taken").replace(b"</Reply>", f"<Lines>{inner}</Lines></Reply>".encode())
    apply(receive(part.supplier.endpoint, content))
    part.refresh_from_db()
    assert lines(part) == [("", None, 0), ("taken", None, 0)]
    assert "It calls line 1 B, and that is A" in part.attention
