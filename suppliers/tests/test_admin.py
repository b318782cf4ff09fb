"""The pages of suppliers: secrets go in and not out, buttons act through the services, what has orders stays."""

import hashlib

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hemi.tests.one_of_each import order_line
from integrations.models import AccountShopify
from suppliers import preflight
from suppliers.models import (
    Delivery,
    Endpoint,
    EndpointCheck,
    ReplyColumns,
    ReplyStatement,
    RoutingRule,
    Supplier,
    SupplierOrder,
    SupplierOrderLine,
    SupplierReply,
)
from suppliers.tests import factories

pytestmark = pytest.mark.django_db
BASE = "/admin/suppliers"
PLAIN = "Plain FTP to another machine is not protected."


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def _told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def _press(client, obj, name, **data):
    return client.post(f"{BASE}/{obj._meta.model_name}/{obj.pk}/{name}/", {"_form_submitted": "on", **data})


def _page(client, obj):
    return client.get(f"{BASE}/{obj._meta.model_name}/{obj.pk}/change/").content.decode()


def _delete(client, obj):
    return _told(client.post(f"{BASE}/{obj._meta.model_name}/{obj.pk}/delete/", {"post": "yes"}))


def _endpoint_form(**values):
    names = {"name": "New", "protocol": "ftp", "host": "127.0.0.1", "port": 21, "username": "u", "password": "p"}
    files = {"name_template": "ORDER_{reference}", "temporary_style": "suffix", "temporary_mark": ".part"}
    files |= {"name_encoding": "utf-8", "max_sessions": 1}
    rest = {"orders_folder": "in", "replies_folder": "out", "connect_timeout": 5, "data_timeout": 5, "is_active": "on"}
    replies = {"reply_age": 0, "after_reading": "delete", "reply_columns-TOTAL_FORMS": 0}
    return {**names, **files, **rest, **replies, "reply_columns-INITIAL_FORMS": 0, **values}


class TestEndpoint:
    def test_a_password_goes_in_and_never_comes_out(self, boss):
        boss.post(f"{BASE}/endpoint/add/", _endpoint_form(password="hush-hush-1"))
        endpoint = Endpoint.objects.get()
        assert endpoint.password == "hush-hush-1"
        for url in (f"{BASE}/endpoint/", f"{BASE}/endpoint/{endpoint.pk}/change/", f"{BASE}/endpoint/1/history/"):
            assert "hush-hush-1" not in boss.get(url).content.decode()

    def test_a_blank_password_keeps_the_stored_one_and_is_no_change(self, boss):
        endpoint = factories.endpoint(name="Old", password="kept-secret-1")
        url, history = (f"{BASE}/endpoint/{endpoint.pk}/{page}/" for page in ("change", "history"))
        told = boss.get(history).content.decode().count("Password")  # that one was set when it was made
        boss.post(url, _endpoint_form(name="Renamed", password=""))
        endpoint.refresh_from_db()
        assert (endpoint.name, endpoint.password) == ("Renamed", "kept-secret-1")
        page = boss.get(history).content.decode()
        assert "Renamed" in page and page.count("Password") == told
        invalid = boss.post(url, _endpoint_form(host="", password="typed-secret-1")).content.decode()
        assert "typed-secret-1" not in invalid and "kept-secret-1" not in invalid

    @pytest.mark.parametrize("host", ["ftp.supplier.example", "8.8.8.8", "localhost.supplier.example"])
    def test_plain_ftp_to_another_machine_needs_the_tick_and_warns_for_good(self, boss, host):
        assert PLAIN in boss.post(f"{BASE}/endpoint/add/", _endpoint_form(host=host)).content.decode()
        assert not Endpoint.objects.exists()
        boss.post(f"{BASE}/endpoint/add/", _endpoint_form(host=host, is_plain_accepted="on"))
        assert "uses plain FTP" in _page(boss, Endpoint.objects.get())
        assert "Endpoints in plain FTP" in boss.get("/admin/").content.decode()

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9"])
    def test_on_this_machine_it_needs_none(self, boss, host):
        boss.post(f"{BASE}/endpoint/add/", _endpoint_form(host=host))
        assert "uses plain FTP" not in _page(boss, Endpoint.objects.get())
        assert "Endpoints in plain FTP" not in boss.get("/admin/").content.decode()

    @pytest.mark.parametrize("host", ["ftp://127.0.0.1", "u@127.0.0.1", "127.0.0.1/in"])
    def test_an_address_is_no_host(self, boss, host):
        assert "Only the server" in boss.post(f"{BASE}/endpoint/add/", _endpoint_form(host=host)).content.decode()
        assert not Endpoint.objects.exists()

    def test_test_connection_shows_each_step_and_waits_for_nothing(self, boss, server):
        endpoint = factories.endpoint(server)
        page = _press(boss, endpoint, "test_connection").url
        assert server.logins == 0  # a worker does it
        assert "this page renews itself" in boss.get(page).content.decode()
        preflight.run(EndpointCheck.objects.get().pk)
        shown = boss.get(page).content.decode()
        assert "It works; nothing needs to be done." in shown and "The files of this test are gone again." in shown
        assert 'http-equiv="refresh"' not in shown
        assert _press(boss, EndpointCheck.objects.get(), "test_again").url != page

    def test_a_refused_login_is_shown_without_the_password(self, boss, server):
        endpoint = factories.endpoint(server, password="wrong-password")
        page = _press(boss, endpoint, "test_connection").url
        preflight.run(EndpointCheck.objects.get().pk)
        shown = boss.get(page).content.decode()
        assert "The server refused (login)" in shown and "wrong-password" not in shown
        assert "Stopped" in _page(boss, endpoint)

    def test_restart_after_a_stop(self, boss):
        endpoint = factories.endpoint()
        assert _told(_press(boss, endpoint, "restart")) == ["The endpoint is not stopped, and not left alone."]
        Endpoint.objects.update(stopped_at=timezone.now(), stop_reason="530 Login incorrect.")
        assert "530 Login incorrect." in _page(boss, endpoint)
        assert _told(_press(boss, endpoint, "restart")) == ["The endpoint is at work again."]
        assert Endpoint.objects.get().stopped_at is None


class TestSupplier:
    def test_go_live_and_back_say_what_they_do_and_who_did(self, boss):
        supplier = factories.supplier(mode="test")
        assert "real orders" in boss.get(f"{BASE}/supplier/{supplier.pk}/go_live/").content.decode()
        supplier.refresh_from_db()
        assert not supplier.is_live
        _press(boss, supplier, "go_live")
        supplier.refresh_from_db()
        assert supplier.is_live
        history = boss.get(f"{BASE}/supplier/{supplier.pk}/history/").content.decode()
        assert "The supplier is live" in history and "boss" in history
        assert _told(_press(boss, supplier, "go_live")) == ["The supplier is live already."]
        _press(boss, supplier, "back_to_test")
        supplier.refresh_from_db()
        assert not supplier.is_live

    def test_a_pause_shows_its_reason_until_resumed(self, boss):
        supplier = factories.supplier()
        _press(boss, supplier, "pause", reason="Stocktaking until Monday")
        assert "Stocktaking until Monday" in _page(boss, supplier)
        assert _told(_press(boss, supplier, "pause", reason="Again")) == ["The supplier is paused already."]
        _press(boss, supplier, "resume")
        assert Supplier.objects.get().paused_at is None

    def test_a_test_order_goes_to_a_supplier_in_test_mode_only(self, boss):
        supplier = factories.supplier(mode="live")
        account = AccountShopify.objects.create(shop_name="a-shop")
        refusal = f"{supplier} is live and gets real orders only. Take it back to test first."
        assert _told(_press(boss, supplier, "send_test_order", account=account.pk)) == [refusal]
        assert not SupplierOrder.objects.exists()
        _press(boss, supplier, "back_to_test")
        assert "test order is made" in _told(_press(boss, supplier, "send_test_order", account=account.pk))[-1]
        assert SupplierOrder.objects.get().order.is_test

    def test_mode_and_code_are_not_changed_by_the_form(self, boss):
        supplier = factories.supplier(mode="test", code="NORTH")
        form = {"name": "New name", "code": "OTHER", "mode": "live", "endpoint": supplier.endpoint_id}
        files = {
            "encoding": "utf-8",
            "format": "hemi-1.0",
            "csv_delimiter": ";",
            "unit_code": "C62",
            "amendments": "person",
        }
        rules = {"pre_send_rules-TOTAL_FORMS": 0, "pre_send_rules-INITIAL_FORMS": 0}
        boss.post(f"{BASE}/supplier/{supplier.pk}/change/", {**form, **files, **rules})
        supplier.refresh_from_db()
        assert (supplier.name, supplier.code, supplier.mode) == ("New name", "NORTH", "test")


class TestDeletion:
    def test_what_has_orders_stays_and_says_why(self, boss):
        supplier = factories.supplier()
        factories.delivery(supplier)
        assert _delete(boss, supplier)[-1:] == [f"“{supplier}” cannot be deleted. It has orders. Pause it instead."]
        told = f"“{supplier.endpoint}” cannot be deleted. Files went through it. Make it inactive instead."
        assert _delete(boss, supplier.endpoint)[-1:] == [told]
        assert Supplier.objects.exists() and Endpoint.objects.exists()

    def test_what_is_in_use_stays_and_what_is_not_goes(self, boss):
        supplier = factories.supplier()
        rule = RoutingRule.objects.create(supplier=supplier, vendor="x")
        assert "Routing rules send to it." in _delete(boss, supplier)[-1]
        assert "A supplier uses it." in _delete(boss, supplier.endpoint)[-1]
        for row in (rule, supplier, supplier.endpoint):
            assert "deleted successfully" in _delete(boss, row)[-1]
        assert not Supplier.objects.exists() and not Endpoint.objects.exists()

    def test_there_is_no_way_round_by_the_list(self, boss):
        supplier = factories.supplier()
        data = {"action": "delete_selected", "_selected_action": [supplier.pk], "post": "yes"}
        boss.post(f"{BASE}/supplier/", data)
        assert Supplier.objects.exists()


class TestSupplierOrder:
    def test_hold_release_and_cancel_with_a_reason(self, boss):
        part = factories.delivery(factories.supplier()).supplier_order
        _press(boss, part, "hold", reason="Wrong address")
        assert "Wrong address" in _page(boss, part) and Delivery.objects.get().is_held
        assert "Give a reason" in _press(boss, part, "release", reason="").content.decode()
        part.refresh_from_db()
        assert part.held_at
        _press(boss, part, "release", reason="Address mended")
        part.refresh_from_db()
        assert part.held_at is None
        assert part.order.events.get(kind="part_released").text == "Released from hold: Address mended"
        _press(boss, part, "cancel", reason="Not wanted any more")
        part.refresh_from_db()
        assert part.status == SupplierOrder.Status.CANCELLED

    def test_what_is_with_the_supplier_is_not_stopped(self, boss):
        part = factories.part(factories.supplier(), status=SupplierOrder.Status.SENT)
        for name in ("hold", "cancel"):
            told = _told(_press(boss, part, name, reason="Too late"))
            assert told[0].startswith("Its file is with the supplier already; tell")
        part.refresh_from_db()
        assert part.status == SupplierOrder.Status.SENT and part.held_at is None

    def test_preview_shows_what_would_be_made_and_then_what_was(self, boss):
        part = factories.part(factories.supplier(), status=SupplierOrder.Status.WAITING)
        url = f"{BASE}/supplierorder/{part.pk}/preview/"
        line = order_line(part.order, title="Lamp <script>")
        assert "cannot be made" in boss.get(url).content.decode()  # it has no line yet
        SupplierOrderLine.objects.create(supplier_order=part, order_line=line, quantity=1)
        page = boss.get(url).content.decode()
        assert "as it would be made now" in page and f"&lt;Reference&gt;{part.reference}" in page
        assert "<script>Lamp" not in page and "Lamp <script>" not in page
        factories.delivery(part.supplier, supplier_order=part, content="<Stored>ż</Stored>".encode())
        assert "&lt;Stored&gt;ż" in boss.get(url).content.decode()


class TestDelivery:
    def test_the_list_says_why_a_file_was_given_up_and_nothing_of_those_that_arrived(self, boss):
        for status in (Delivery.Status.DEAD, Delivery.Status.SENT):
            factories.delivery(factories.supplier(), status=status, last_error=f"452 Disk full: {status}")
        page = boss.get(f"{BASE}/delivery/").content.decode()
        assert "452 Disk full: dead" in page and "452 Disk full: sent" not in page

    def test_retry_now_brings_a_given_up_file_back(self, boss):
        delivery = factories.delivery(factories.supplier(), status=Delivery.Status.DEAD, attempts=12)
        assert "Give a reason" in _press(boss, delivery, "retry_now").content.decode()
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == (Delivery.Status.DEAD, 12)
        _press(boss, delivery, "retry_now", reason="The disk is mended")
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == (Delivery.Status.DUE, 0)
        assert "The disk is mended" in delivery.supplier_order.order.events.get(kind="retry").text

    def test_chosen_files_are_tried_again_with_the_reason_beside_the_action(self, boss):
        delivery = factories.delivery(factories.supplier(), status=Delivery.Status.DEAD)
        chosen = {"action": "retry_deliveries", "_selected_action": [delivery.pk]}
        assert _told(boss.post(f"{BASE}/delivery/", chosen))[0].startswith("Give a reason beside the action")
        assert Delivery.objects.get().status == Delivery.Status.DEAD
        boss.post(f"{BASE}/delivery/", {**chosen, "reason": "The disk is mended"})
        assert Delivery.objects.get().status == Delivery.Status.DUE
        assert "The disk is mended" in delivery.supplier_order.order.events.get(kind="retry").text

    @pytest.mark.parametrize("outcome, status", [("sent", Delivery.Status.SENT), ("again", Delivery.Status.DUE)])
    def test_a_person_settles_what_is_uncertain(self, boss, outcome, status):
        delivery = factories.delivery(factories.supplier(), status=Delivery.Status.UNCERTAIN)
        assert "Say whether" in _press(boss, delivery, "settle", reason="Asked by phone").content.decode()
        _press(boss, delivery, "settle", outcome=outcome, reason="Asked by phone")
        delivery.refresh_from_db()
        assert delivery.status == status
        assert "Asked by phone" in delivery.supplier_order.order.events.get().text

    def test_a_sent_file_is_neither_retried_nor_settled(self, boss):
        delivery = factories.delivery(factories.supplier(), status=Delivery.Status.SENT, attempts=1)
        _press(boss, delivery, "retry_now", reason="Try it")
        _press(boss, delivery, "settle", outcome="again", reason="Try it")
        chosen = {"action": "retry_deliveries", "_selected_action": [delivery.pk], "reason": "Try it"}
        boss.post(f"{BASE}/delivery/", chosen)
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == (Delivery.Status.SENT, 1)

    def test_the_document_is_downloaded_byte_for_byte_and_shown_by_no_browser(self, boss):
        content = bytes(range(256))
        delivery = factories.delivery(factories.supplier(), content=content)
        response = boss.get(f"{BASE}/delivery/{delivery.pk}/download/")
        assert hashlib.sha256(response.content).hexdigest() == delivery.sha256
        assert response["Content-Disposition"] == f'attachment; filename="{delivery.final_name}"'
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Type"] == "application/octet-stream"

    def test_lists_ask_as_much_for_one_row_as_for_fifty_and_read_no_document(self, boss):
        def queries(url):
            with CaptureQueriesContext(connection) as captured:
                assert boss.get(url).status_code == 200
            assert not [query for query in captured if '"document"' in query["sql"] or '"content"' in query["sql"]]
            return len(captured)

        lists = [f"{BASE}/{name}/" for name in ("delivery", "supplierorder", "supplierreply", "supplier", "endpoint")]
        _one_of_all(0)
        first = [queries(url) for url in lists]
        for number in range(1, 50):
            _one_of_all(number)
        assert [queries(url) for url in lists] == first


class TestReply:
    def test_an_unread_reply_is_read_again_and_an_applied_one_is_not(self, boss):
        reply = _one_of_all(0)
        assert _told(_press(boss, reply, "read_again")) == ["This reply was read and applied."]
        SupplierReply.objects.update(status=SupplierReply.Status.UNMATCHED, note="No such order.")
        _press(boss, reply, "read_again")
        assert SupplierReply.objects.get().status == SupplierReply.Status.NEW

    def test_its_file_is_downloaded_as_it_came(self, boss):
        response = boss.get(f"{BASE}/supplierreply/{_one_of_all(0).pk}/download/")
        assert response.content == b"<Reply/>" and response["Content-Disposition"].startswith("attachment")


def _one_of_all(number):
    part = factories.delivery(factories.supplier()).supplier_order
    return SupplierReply.objects.create(
        endpoint=part.supplier.endpoint,
        file_name=f"R{number}.xml",
        sha256="0" * 64,
        size=8,
        content=b"<Reply/>",
        status=SupplierReply.Status.APPLIED,
        supplier_order=part,
    )


class TestStatement:
    def _lone(self):
        part = _sent_part()
        reply = _one_of_all(0)
        SupplierReply.objects.update(status=SupplierReply.Status.UNMATCHED, endpoint=part.supplier.endpoint)
        said = {"reference": "NW-9", "kind": "accepted", "rest": "accepted", "status": "unmatched"}
        return part, ReplyStatement.objects.create(reply=reply, position=1, **said)

    def test_it_is_matched_to_the_order_that_a_person_names(self, boss):
        part, row = self._lone()
        assert "Match to an order" in _page(boss, row)
        assert self._match(boss, row, "HM999999-NO-1") == [
            "No order “HM999999-NO-1” has a part whose supplier replies at this endpoint."
        ]
        assert self._match(boss, row, part.reference)[-1] == "The statement is matched and applied."
        part.refresh_from_db()
        assert (part.status, SupplierReply.objects.get().status) == ("accepted", "applied")
        assert part.order.events.filter(kind="reply_accepted", actor__username="boss").exists()

    def test_it_is_settled_with_a_reason(self, boss):
        part, row = self._lone()
        _press(boss, row.reply, "settle", reason="A test of theirs")
        row.refresh_from_db()
        part.refresh_from_db()
        assert (row.status, row.note, part.status) == ("settled", "Settled: A test of theirs (boss)", "sent")
        told = _told(_press(boss, row, "settle", reason="Again"))
        assert told[-1] == "This statement was applied or settled already."

    def _match(self, client, row, name):
        url = f"{BASE}/replystatement/{row.pk}/match/"
        return _told(client.post(url, {"_form_submitted": "on", "name": name}))


class TestReplyColumns:
    def test_they_are_set_on_the_endpoint(self, boss):
        endpoint = factories.endpoint()
        columns = {"delimiter": "\t", "encoding": "latin-1", "has_header": "on", "reference": "Auftrag"}
        columns |= {"status": "Stand", "words": "versandt = shipped"}
        self._post(boss, endpoint, columns)
        found = ReplyColumns.objects.get(endpoint=endpoint)
        assert (found.delimiter, found.words) == ("\t", "versandt = shipped")

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"encoding": "klingon"}, "Such as utf-8"),
            ({"words": "versandt"}, "is not like: versandt = shipped"),
            ({"has_header": ""}, "give the number of the column"),
            ({"quantity": "3"}, "Give the column of the SKU, too"),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, boss, wrong, why):
        endpoint = factories.endpoint()
        columns = {"delimiter": ";", "encoding": "utf-8", "has_header": "on", "reference": "Auftrag", "status": "2"}
        assert why in self._post(boss, endpoint, {**columns, **wrong}).content.decode()
        assert not ReplyColumns.objects.exists()

    def _post(self, boss, endpoint, columns):
        inline = {f"reply_columns-0-{name}": value for name, value in columns.items() if value}
        form = _endpoint_form(name=endpoint.name, **{"reply_columns-TOTAL_FORMS": 1, **inline})
        return boss.post(f"{BASE}/endpoint/{endpoint.pk}/change/", form)


def _sent_part():
    supplier = factories.supplier()
    part = factories.part(supplier, status=SupplierOrder.Status.SENT)
    factories.delivery(supplier, supplier_order=part, status=Delivery.Status.SENT)
    return part
