"""What becomes of sent files on a real server: moved as taken, moved as refused with a reason, taken away."""

import pytest

from suppliers import inbound, outbox, replies
from suppliers.models import Delivery, Endpoint, SupplierOrder, SupplierReply
from suppliers.tests import factories
from suppliers.tests.servers import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(server, supplier):
    """A file that was delivered, its endpoint watching both folders."""
    Endpoint.objects.update(done_folder="done", failed_folder="failed", replies_folder="")
    for name in ("done", "failed"):
        (server.root / name).mkdir()
    row = factories.delivery(supplier)
    outbox.deliver(supplier.endpoint_id)
    row.refresh_from_db()
    assert row.status == "sent"
    return row


def look(row):
    Endpoint.objects.update(traced_at=None)
    factories.let_time_pass()
    inbound.collect(row.endpoint_id)
    replies.apply_replies()
    row.refresh_from_db()
    return SupplierOrder.objects.get(pk=row.supplier_order_id)


def move(server, row, folder, name=None):
    path = server.orders_folder / row.final_name
    return path.rename(server.root / folder / (name or row.final_name))


def test_while_it_lies_there_nothing_is_said(sent):
    assert look(sent).status == "sent"
    assert sent.seen_at
    assert not SupplierReply.objects.exists()


@pytest.mark.parametrize("stamp", ["{}", "20261121-{}", "{}.done"])
def test_a_file_in_the_done_folder_was_taken(server, sent, stamp):
    move(server, sent, "done", stamp.format(sent.final_name))
    part = look(sent)
    assert (part.status, bool(part.replied_at)) == ("taken", True)
    assert SupplierReply.objects.get().source == "done_folder"
    look(sent)
    assert SupplierReply.objects.count() == 1


def test_a_file_in_the_failed_folder_was_rejected_for_the_reason_beside_it(server, sent):
    path = move(server, sent, "failed")
    path.with_name(f"{path.name}.error").write_text("Größe unbekannt\nZeile 3", encoding="latin-1")
    part = look(sent)
    assert (part.status, part.reply_reason) == ("rejected", "Größe unbekannt Zeile 3")
    assert "Größe unbekannt" in part.attention


def test_without_a_reason_it_says_where_the_file_is(server, sent):
    move(server, sent, "failed")
    assert look(sent).reply_reason == "The supplier moved the file to its failed folder."


@pytest.mark.parametrize("length", [20_000, 1_500_000])
def test_a_long_reason_keeps_no_rejection_back(server, sent, length):
    path = move(server, sent, "failed")
    path.with_name(f"{path.name}.error").write_text("Sold out. " * (length // 10))
    part = look(sent)
    assert (part.status, part.reply_reason.startswith("Sold out.")) == ("rejected", length < 1_000_000)
    assert Endpoint.objects.get().last_error == ""


def test_a_reason_that_may_not_be_read_keeps_no_rejection_back(server, sent):
    path = move(server, sent, "failed")
    path.with_name(f"{path.name}.error").write_text("Sold out")
    server.faults.add("RETR", reply=(550, "Permission denied"), argument=".error", times=None)
    assert look(sent).status == "rejected"


def test_taken_first_and_refused_later(server, sent):
    path = move(server, sent, "done")
    assert look(sent).status == "taken"
    path.rename(server.root / "failed" / path.name)
    assert look(sent).status == "rejected"


@pytest.mark.parametrize(("is_taken", "status"), [(True, "taken"), (False, "sent")])
def test_a_file_that_is_gone_counts_where_the_endpoint_says_so(server, sent, is_taken, status):
    Endpoint.objects.update(is_gone_taken=is_taken)
    (server.orders_folder / sent.final_name).unlink()
    assert look(sent).status == status


def test_a_missing_folder_is_told_and_says_nothing_of_the_file(server, sent):
    Endpoint.objects.update(is_gone_taken=True)
    (server.root / "failed").rmdir()
    (server.orders_folder / sent.final_name).unlink()
    assert look(sent).status == "sent"
    assert "No such directory" in Endpoint.objects.get().last_error


def test_folders_are_looked_at_once_a_minute(server, sent):
    look(sent)
    before = len([entry for entry in server.log if entry.command == "MLSD"])
    factories.let_time_pass()
    inbound.collect(sent.endpoint_id)
    assert len([entry for entry in server.log if entry.command == "MLSD"]) == before


def test_an_endpoint_with_no_such_folder_is_not_looked_at(server, supplier):
    Endpoint.objects.update(replies_folder="")
    factories.delivery(supplier, status=Delivery.Status.SENT)
    assert inbound.sweep() == 0


def test_what_was_taken_is_not_looked_for_where_nothing_is_refused_later(server, sent):
    Endpoint.objects.update(failed_folder="")
    move(server, sent, "done")
    assert look(sent).status == "taken"
    before = len(server.log)
    look(sent)
    assert "done" not in [entry.argument for entry in server.log[before:]]


def test_a_folder_that_is_not_there_says_nothing_of_its_files(tmp_path):
    with make("vsftpd", tmp_path) as server:  # it lists a missing folder as an empty one
        where = factories.endpoint(server, is_gone_taken=True)
        sent = factories.delivery(factories.supplier(endpoint=where))
        outbox.deliver(where.pk)
        folder = server.orders_folder
        folder.rename(folder.with_name("elsewhere"))
        assert look(sent).status == "sent"
        folder.with_name("elsewhere").rename(folder)
        for path in folder.iterdir():
            path.unlink()
        assert look(sent).status == "taken"
