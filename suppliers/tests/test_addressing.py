"""Where waiting files go when their endpoint or their supplier changes: nobody is stuck, and nothing goes twice."""

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import connection
from django.utils import timezone

from hemi.lib import claims
from suppliers import due, lanes, outbox
from suppliers.models import Delivery, Endpoint
from suppliers.services import deliveries
from suppliers.tests import factories
from suppliers.tests.test_endpoint_form import _form

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def change(client, endpoint, **values):
    """Change an endpoint by its form; return what is said."""
    where = {name: getattr(endpoint, name) for name in ("name", "protocol", "host", "port", "username")}
    wanted = _form(**{**where, "password": "right-password", "connect_timeout": 2, "data_timeout": 2, **values})
    reply = client.post(f"/admin/suppliers/endpoint/{endpoint.pk}/change/", wanted)
    assert reply.status_code == 302, reply.context["errors"]
    return " ".join(str(message) for message in get_messages(reply.wsgi_request))


def switch(client, supplier, endpoint):
    """Give a supplier another endpoint by its form; return what is said."""
    columns = {"name": supplier.name, "endpoint": endpoint.pk, "contact_email": "", "amendments": supplier.amendments}
    files = {"format": supplier.format, "encoding": supplier.encoding, "csv_delimiter": supplier.csv_delimiter}
    files |= {"unit_code": supplier.unit_code, "replacements": "", "reply_hours": ""}
    rules = {"pre_send_rules-TOTAL_FORMS": 0, "pre_send_rules-INITIAL_FORMS": 0}
    reply = client.post(f"/admin/suppliers/supplier/{supplier.pk}/change/", {**columns, **files, **rules})
    assert reply.status_code == 302, reply.context["errors"]
    return " ".join(str(message) for message in get_messages(reply.wsgi_request))


def run(endpoint_id):
    outbox.deliver(endpoint_id)
    factories.let_time_pass()


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_given_up_for_a_wrong_folder_goes_to_the_right_one(server, supplier, settings, boss):
    settings.DELIVERY_MAX_ATTEMPTS = 1
    Endpoint.objects.update(orders_folder="nowhere")
    dead, waiting = factories.delivery(supplier, folder="nowhere"), factories.delivery(supplier, folder="nowhere")
    Delivery.objects.filter(pk=waiting.pk).update(is_held=True)
    run(supplier.endpoint_id)
    dead.refresh_from_db()
    assert (dead.status, dead.temporary_name) == ("dead", "")
    said = change(boss, supplier.endpoint, orders_folder="in")
    assert "2 files that nobody has seen go where it says now." in said
    deliveries.retry_now(delivery=dead, reason="Mended the folder.", by=None)
    Delivery.objects.update(is_held=False)
    run(supplier.endpoint_id)
    assert set(Delivery.objects.values_list("status", "folder")) == {("sent", "in")}
    assert files(server.orders_folder) == {row.final_name: bytes(row.document) for row in (dead, waiting)}
    assert dead.supplier_order.order.events.get(kind="readdressed").text.endswith(f"“in” now, as {dead.final_name}.")


def test_a_file_whose_name_the_server_refused_gets_the_one_that_it_allows(server, supplier, boss):
    row = factories.delivery(supplier)
    server.faults.add("STOR", reply=(553, "Name not allowed"), argument="ORDER_", times=None)
    run(supplier.endpoint_id)
    row.refresh_from_db()
    assert row.status == "dead"
    change(boss, supplier.endpoint, name_template="PO-{reference}")
    deliveries.retry_many(deliveries=[row.pk], reason="Mended the name.", by=None)
    run(supplier.endpoint_id)
    assert files(server.orders_folder) == {f"PO-{row.supplier_order.reference}.xml": bytes(row.document)}


def test_files_that_nobody_has_seen_follow_their_supplier(server, supplier, boss):
    server.orders_folder.with_name("new").mkdir()
    new = factories.endpoint(server, orders_folder="new", done_suffix=".done")
    unseen = factories.delivery(supplier)
    left = factories.killed(factories.delivery(supplier), step="uploading", temporary_name="old.part")
    doubtful = factories.delivery(supplier, status="uncertain", step="renaming", temporary_name="x.part")
    sent = factories.delivery(supplier, status="sent", step="sent")
    said = switch(boss, supplier, new)
    assert f"1 file that nobody has seen goes to {new} now." in said
    assert "2 files stay at the former endpoint" in said
    run(new.pk)
    run(supplier.endpoint_id)
    assert set(files(server.orders_folder.with_name("new"))) == {unseen.final_name, f"{unseen.final_name}.done"}
    assert set(files(server.orders_folder)) == {left.final_name}
    states = dict(Delivery.objects.values_list("pk", "status"))
    assert states == {unseen.pk: "sent", left.pk: "sent", doubtful.pk: "uncertain", sent.pk: "sent"}


@pytest.mark.parametrize("status", ["due", "dead"])
def test_a_file_left_at_an_endpoint_that_is_off_follows_once_a_person_asks(server, supplier, boss, status):
    former = factories.endpoint(is_active=False)
    row = factories.delivery(supplier, endpoint=former, status=status)  # its supplier moved before files followed
    page = f"/admin/suppliers/delivery/{row.pk}"
    if status == "due":
        said = f"It is still for {former}, which takes no files now. Choose Retry now, and it goes to"
        assert said in boss.get(f"{page}/change/").content.decode()
    boss.post(f"{page}/retry_now/", {"_form_submitted": "on", "reason": "It moved"})
    run(supplier.endpoint_id)
    row.refresh_from_db()
    assert (row.status, row.endpoint) == ("sent", supplier.endpoint)
    assert set(files(server.orders_folder)) == {row.final_name}


def test_a_file_that_a_run_has_in_hand_stays_where_it_is(server, supplier, boss):
    row = factories.delivery(supplier)
    new = factories.endpoint(server, orders_folder="new")
    rows = Delivery.objects.all()
    assert claims.claim(rows, still=due.STILL, limit=1, lease=lanes.lease(supplier.endpoint))
    assert "stays at the former endpoint" in switch(boss, supplier, new)
    row.refresh_from_db()
    assert (row.endpoint_id, row.folder) == (supplier.endpoint_id, "in")


def test_a_rename_in_doubt_is_not_taken_for_done_on_another_server(server, supplier, boss):
    Endpoint.objects.update(taken_within_minutes=60)
    row = factories.delivery(supplier)
    server.faults.add("RNTO", cut="before")
    server.faults.add("SIZE", reply=(450, "Busy"), times=None, argument=".part", skip=1)
    run(supplier.endpoint_id)
    server.faults.clear()
    row.refresh_from_db()
    assert (row.status, row.step) == ("due", "renaming")
    (path,) = server.orders_folder.iterdir()
    path.unlink()  # what the other server does not have
    change(boss, supplier.endpoint, host="localhost", taken_within_minutes=60)
    run(supplier.endpoint_id)
    row.refresh_from_db()
    assert row.status == "uncertain"


def test_a_run_stops_when_its_endpoint_becomes_another_server(server, supplier, boss, monkeypatch):
    monkeypatch.setattr(lanes, "RENEW_SECONDS", 0)
    rows = [factories.delivery(supplier) for _ in range(5)]
    done = []

    def arrived(path):
        if not done:
            done.append(path)
            change(boss, supplier.endpoint, port=1)
            connection.close()

    server.on_arrival = arrived
    run(supplier.endpoint_id)
    assert files(server.orders_folder) == {}
    assert set(Delivery.objects.values_list("status", "claim_token")) == {("due", "")}
    assert len(rows) == Delivery.objects.count()


def test_after_a_restore_files_keep_their_names_until_they_are_looked_up(supplier, boss):
    row = factories.delivery(supplier)
    Endpoint.objects.update(closed_at=timezone.now())
    assert "nobody has seen" not in change(boss, supplier.endpoint, name_template="PO-{reference}")
    assert Delivery.objects.get().final_name == row.final_name
