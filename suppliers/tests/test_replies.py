"""Replies: read strictly, believed only from the supplier's own endpoint, and only ever upwards."""

import hashlib
from datetime import UTC, datetime

import pytest

from suppliers import replies
from suppliers.models import Delivery, Endpoint, SupplierOrder, SupplierReply
from suppliers.tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

NAMESPACE = 'xmlns="urn:hemi:reply:1.0"'
CREATED = "<CreatedAt>2026-11-21T09:30:00+01:00</CreatedAt>"


def document(reference="HM1-NORTH-1", status="accepted", more="", created=CREATED):
    inner = f"<Reference>{reference}</Reference><Status>{status}</Status>{more}{created}"
    return f'<Reply {NAMESPACE} version="1.0">{inner}</Reply>'.encode()


@pytest.fixture
def supplier(db):
    return factories.supplier()


@pytest.fixture
def part(supplier):
    """A part whose file the supplier has."""
    part = factories.part(supplier, status=SupplierOrder.Status.SENT)
    factories.delivery(supplier, supplier_order=part, status=Delivery.Status.SENT)
    return part


def receive(endpoint, content, **values):
    sha256 = hashlib.sha256(content).hexdigest()
    defaults = {"file_name": "REPLY.xml", "sha256": sha256, "size": len(content), "content": content}
    return SupplierReply.objects.create(endpoint=endpoint, **{**defaults, **values})


def apply(*rows):
    replies.apply_replies()
    for row in rows:
        row.refresh_from_db()


BOMB = b"<!DOCTYPE Reply [<!ENTITY a '" + b"a" * 50 + b"'>"
for level in range(1, 12):
    BOMB += f"<!ENTITY {chr(97 + level)} '{f'&{chr(96 + level)};' * 10}'>".encode()
BOMB += b"]>" + document(more="<Reason>&l;</Reason>")
EXTERNAL = b'<!DOCTYPE Reply [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + document(more="<Reason>&x;</Reason>")
HOSTILE = {
    "empty": b"",
    "no XML": b"\x89PNG\r\n\x1a\n",
    "cut short": document()[:-9],
    "entity bomb": BOMB,
    "external entity": EXTERNAL,
    "external DTD": b'<!DOCTYPE Reply SYSTEM "http://127.0.0.1:9/x.dtd">' + document(),
    "harmless DTD": b"<!DOCTYPE Reply []>" + document(),
    "wrong encoding": document(more="<Reason>Größe</Reason>").decode().encode("iso-8859-1"),
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?>' + document(),
    "other namespace": document().replace(b"reply:1.0", b"reply:9.0"),
    "no namespace": document().replace(NAMESPACE.encode(), b""),
    "other version": document().replace(b'version="1.0"', b'version="2.0"'),
    "other root": document().replace(b"Reply", b"Answer"),
    "other status": document(status="posted"),
    "no reference": document(reference=""),
    "long reference": document(reference="x" * 61),
    "long reason": document(more=f"<Reason>{'x' * 501}</Reason>"),
    "unknown element": document(more="<Price>1</Price>"),
    "time without offset": document(created="<CreatedAt>2026-11-21T09:30:00</CreatedAt>"),
    "no such day": document(created="<CreatedAt>2026-02-30T09:30:00Z</CreatedAt>"),
    "hour 24": document(created="<CreatedAt>2026-02-20T24:00:00Z</CreatedAt>"),
    "deep": b"<a>" * 5000 + b"</a>" * 5000,
    "NUL": document(reference="a\0b"),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_read_is_shown_and_stops_nothing(part, supplier, content):
    bad = receive(supplier.endpoint, content.replace(b"HM1-NORTH-1", part.reference.encode()))
    good = receive(supplier.endpoint, document(part.reference, "taken"), file_name="GOOD.xml")
    apply(bad, good)
    assert (bad.status, bad.supplier_order, bad.claim_token) == ("unreadable", None, "")
    assert bad.note.startswith("It ")
    assert good.status == "applied"
    assert SupplierOrder.objects.get().status == "taken"


@pytest.mark.parametrize("status", ["taken", "accepted"])
def test_a_reply_moves_its_part(part, supplier, status):
    row = receive(supplier.endpoint, document(part.reference, status, "<SupplierReference>N-77</SupplierReference>"))
    apply(row)
    part.refresh_from_db()
    assert (part.status, part.supplier_reference, part.attention) == (status, "N-77", "")
    assert part.replied_at
    assert (row.status, row.kind, row.reference, row.supplier_order) == ("applied", status, part.reference, part)
    assert row.applied_at
    assert part.order.events.get().kind == f"reply_{status}"


def test_a_rejection_needs_attention(part, supplier):
    apply(receive(supplier.endpoint, document(part.reference, "rejected", "<Reason>Sold out</Reason>")))
    part.refresh_from_db()
    assert (part.status, part.reply_reason) == ("rejected", "Sold out")
    assert "Sold out" in part.attention


@pytest.mark.parametrize("later", ["taken", "accepted"])
def test_a_reply_never_moves_down(part, supplier, later):
    for number, status in enumerate(("accepted", later)):
        row = receive(supplier.endpoint, document(part.reference, status), file_name=f"{number}.xml")
        apply(row)
    part.refresh_from_db()
    assert (part.status, part.attention) == ("accepted", "")
    assert part.order.events.count() == 1


def test_a_reply_that_contradicts_an_earlier_one_needs_attention(part, supplier):
    apply(receive(supplier.endpoint, document(part.reference, "accepted")))
    row = receive(supplier.endpoint, document(part.reference, "rejected"))
    apply(row)
    part.refresh_from_db()
    assert part.status == "accepted"
    assert "rejected after accepted" in part.attention
    assert "rejected after accepted" in row.note


def test_an_unknown_reference_is_shown(part, supplier):
    for reference in ("HM999999-NORTH-1", part.reference.lower()):
        row = receive(supplier.endpoint, document(reference), file_name=reference)
        apply(row)
        assert (row.status, row.reference, row.supplier_order) == ("unmatched", reference, None)
        assert reference in row.note
    part.refresh_from_db()
    assert part.status == "sent"


def test_another_supplier_must_not_answer(part):
    row = receive(factories.supplier().endpoint, document(part.reference))
    apply(row)
    part.refresh_from_db()
    assert (row.status, row.supplier_order) == ("unmatched", None)
    assert (part.status, part.replied_at, part.order.events.count()) == ("sent", None, 0)


def test_the_endpoint_that_got_the_file_may_answer_after_the_supplier_moved(part, supplier):
    former, supplier.endpoint = supplier.endpoint, factories.endpoint()
    supplier.save()
    row = receive(former, document(part.reference))
    apply(row)
    assert row.status == "applied"


def test_a_reply_that_is_faster_than_our_record_waits(supplier):
    row = factories.killed(factories.delivery(supplier), step="renaming")
    part = row.supplier_order
    reply = receive(supplier.endpoint, document(part.reference))
    apply(reply)
    assert reply.status == "new"
    assert reply.next_attempt_at > reply.received_at
    assert "waits" in reply.note
    SupplierOrder.objects.update(status="sent")
    factories.let_time_pass()
    apply(reply)
    part.refresh_from_db()
    assert (reply.status, reply.note, part.status) == ("applied", "", "accepted")


def test_a_reply_about_a_file_that_was_never_sent_is_shown(supplier):
    part = factories.delivery(supplier).supplier_order
    row = receive(supplier.endpoint, document(part.reference))
    apply(row)
    part.refresh_from_db()
    assert (row.status, part.status) == ("unmatched", "ready")


def test_a_reply_about_a_cancelled_part_is_told(part, supplier):
    SupplierOrder.objects.update(status="cancelled")
    row = receive(supplier.endpoint, document(part.reference))
    apply(row)
    part.refresh_from_db()
    assert (row.status, part.status) == ("applied", "cancelled")
    assert "cancelled" in part.attention


def test_a_reply_that_another_worker_has_is_left_alone(part, supplier):
    soon = datetime(2100, 1, 1, tzinfo=UTC)
    row = receive(supplier.endpoint, document(part.reference), claim_token="another", lease_until=soon)
    apply(row)
    assert row.status == "new"


@pytest.mark.parametrize(("username", "status"), [("same", "applied"), ("other", "unmatched")])
def test_folders_of_one_account_may_have_their_replies_in_one_folder(supplier, part, username, status):
    account = {"host": "ftp.supplier.example", "port": 22}
    Endpoint.objects.filter(pk=supplier.endpoint_id).update(username="same", replies_folder="", **account)
    reader = factories.endpoint(username=username, orders_folder="in/other", **account)
    reply = receive(reader, document(reference=part.reference))
    apply(reply)
    assert reply.status == status
