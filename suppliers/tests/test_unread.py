"""Replies that cannot be read or fit no order: staff hear of them once for each endpoint, and of their end."""

import pytest

from integrations.models import StaffAlert
from suppliers import unread
from suppliers.models import SupplierReply
from suppliers.services import replies
from suppliers.tests import factories
from suppliers.tests.test_replies import apply, document, receive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def north():
    return factories.endpoint(name="North")


def tell():
    unread.tell()
    return list(StaffAlert.objects.filter(cleared_at=None).order_by("pk").values_list("kind", "key"))


def test_staff_are_told_once_for_each_endpoint_and_when_it_is_over(north):
    sued = factories.endpoint(name="Sued")
    rows = [receive(north, b"no XML", file_name="BROKEN.xml"), receive(north, document("HM9-NORTH-1"))]
    rows.append(receive(sued, document("HM9-SUED-1")))
    apply(*rows)
    for _ in range(2):
        assert tell() == [("replies_unread", str(north.pk)), ("replies_unread", str(sued.pk))]
    first, second = StaffAlert.objects.order_by("pk")
    assert first.subject == "2 replies from North could not be applied"
    assert second.subject == "1 reply from Sued could not be applied"
    assert "BROKEN.xml: cannot be read" in first.text and "REPLY.xml: no such order" in first.text
    replies.settle_reply(reply=rows[0], reason="A test", by=None)
    assert len(tell()) == 2
    replies.settle_reply(reply=rows[1], reason="Not ours", by=None)
    assert tell() == [("replies_unread", str(sued.pk))]
    assert first.over == "No reply from North waits for a person any more."


def test_one_that_is_being_read_again_is_no_end_and_no_news(north):
    row = receive(north, b"no XML")
    apply(row)
    tell()
    replies.read_again(reply=row, by=None)
    assert SupplierReply.objects.get().status == "new" and len(tell()) == 1
    apply(row)
    assert len(tell()) == StaffAlert.objects.count() == 1


def test_many_are_counted_and_what_was_applied_is_not_told(north):
    for number in range(25):
        receive(north, b"no XML", file_name=f"R{number}.xml")
    part = factories.part(factories.supplier(), status="sent")
    apply(receive(part.supplier.endpoint, document(part.reference)))
    while SupplierReply.objects.filter(status="new").exists():
        apply()
    assert tell() == [("replies_unread", str(north.pk))]
    assert "… and 5 more." in StaffAlert.objects.get().text and "R24" not in StaffAlert.objects.get().text
