"""What the form of an endpoint takes and refuses, and what a change of server takes along."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.utils import timezone

from suppliers.models import Endpoint, EndpointCheck
from suppliers.tests import factories

pytestmark = pytest.mark.django_db
BASE = "/admin/suppliers/endpoint"
SHOWN = "SHA256:" + ":".join(["00", "FF"] * 16)


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def clerk(client):
    """Somebody who may look at endpoints and test them, and change nothing."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_endpoint", "test_endpoint"]))
    client.force_login(user)
    return client


def _key(passphrase=""):
    lock = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase.encode())
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, lock).decode()


def _form(**values):
    where = {"name": "New", "protocol": "sftp", "host": "127.0.0.1", "port": "", "username": "u", "password": "p"}
    files = {"orders_folder": "in", "name_template": "ORDER_{reference}", "temporary_style": "suffix"}
    files |= {"temporary_mark": ".part", "name_encoding": "utf-8", "max_sessions": 1}
    replies = {"replies_folder": "out", "reply_age": 0, "after_reading": "delete", "reply_columns-TOTAL_FORMS": 0}
    rest = {"connect_timeout": 5, "data_timeout": 5, "is_active": "on", "reply_columns-INITIAL_FORMS": 0}
    return {**where, **files, **replies, **rest, **values}


def _add(client, **values):
    return client.post(f"{BASE}/add/", _form(**values)).content.decode()


def _save(client, endpoint, **values):
    page = client.post(f"{BASE}/{endpoint.pk}/change/", _form(name=endpoint.name, **values)).content.decode()
    endpoint.refresh_from_db()
    return page


def test_a_new_endpoint_is_offered_as_sftp_on_its_port(boss):
    page = boss.get(f"{BASE}/add/").content.decode()
    assert '<option value="sftp" selected>' in page and 'value="22"' in page
    assert "None is stored." not in page


@pytest.mark.parametrize(
    ("protocol", "typed", "port"),
    [
        ("sftp", "", 22),
        ("ftps", "", 21),
        ("ftps_implicit", "", 990),
        ("ftps_implicit", "22", 990),
        ("ftps", "2121", 2121),
    ],
)
def test_the_usual_port_follows_the_protocol(boss, protocol, typed, port):
    _add(boss, protocol=protocol, port=typed)
    assert Endpoint.objects.get().port == port


def test_a_changed_protocol_brings_its_port_and_drops_what_was_known_of_the_server(boss):
    known = {"host_identity": SHOWN, "profile": {"has_size": False}, "profiled_at": timezone.now()}
    endpoint = factories.endpoint(protocol="sftp", port=22, **known)
    _save(boss, endpoint, port="22", password="", username="other")
    assert (endpoint.host_identity, endpoint.profile) == (SHOWN, {"has_size": False})
    _save(boss, endpoint, port="22", protocol="ftps", password="")
    assert (endpoint.port, endpoint.host_identity, endpoint.profile, endpoint.profiled_at) == (21, "", {}, None)
    assert endpoint.password == "right-password"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": ""}, "Enter a password, or paste a private key."),
        ({"password": "", "protocol": "ftps"}, "Enter the password."),
        ({"private_key": "no key"}, "The private key cannot be read."),
        ({"private_key": "no key", "protocol": "ftps"}, "Only SFTP takes a private key."),
        ({"host": "10.0.0.1"}, "is a private address"),
        ({"host": "169.254.169.254"}, "is a private address"),
        ({"host": "0xa9fea9fe"}, "is a private address"),
        ({"host": "::ffff:10.0.0.1"}, "is a private address"),
        ({"temporary_mark": "a/b"}, "The mark of a temporary name may contain"),
        ({"temporary_style": "folder", "temporary_mark": "in"}, "must be another one than the folder for orders"),
        ({"temporary_mark": ""}, "This field is required."),
        ({"name_template": "ORDER_{order}"}, "The file name must contain {reference}"),
        ({"name_template": "ORDER_{reference}_{customer}"}, "but not {customer}"),
        ({"done_suffix": "/x"}, "The ending of the done-file"),
        ({"after_reading": "archive"}, "Say into which folder replies are moved."),
        ({"unreadable_folder": "/out/"}, "It must be another folder than that of the replies."),
        (
            {"temporary_style": "folder", "temporary_mark": "out"},
            "It must be another folder than that of the replies.",
        ),
        ({"orders_folder": "in/ł", "name_encoding": "iso-8859-1"}, "cannot be written in ISO-8859-1."),
        ({"protocol": "ftps", "password": "€", "name_encoding": "iso-8859-1"}, "cannot be written in ISO-8859-1."),
        ({"host": "ftp.supplier.com:2121"}, "the port has a field of its own"),
        ({"replies_folder": "./in/"}, "It must be another folder than that of the orders."),
        ({"done_folder": "done", "failed_folder": "x/../done"}, "It must be another folder than that of taken files."),
        ({"max_sessions": 6}, "less than or equal to 5"),
        ({"connect_timeout": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_work_is_said_before_it_is_saved(boss, values, words):
    assert words in _add(boss, **values)
    assert not Endpoint.objects.exists()


def test_the_named_networks_are_allowed(boss, settings):
    settings.ALLOWED_PRIVATE_NETWORKS = ["10.0.0.0/8"]
    _add(boss, host="10.0.0.1")
    assert Endpoint.objects.get().host == "10.0.0.1"


def test_one_server_user_and_folder_is_one_endpoint(boss):
    first = factories.endpoint(name="First", protocol="sftp", port=22, username="u")
    page = _add(boss)
    assert "“First” is this server, user and folder already." in page and "endpoint_once" not in page
    assert Endpoint.objects.get() == first
    page = _add(boss, orders_folder="in/other", replies_folder="/out")
    assert "“First” takes the replies out of this folder already" in page
    assert Endpoint.objects.get() == first
    _add(boss, orders_folder="in/other", replies_folder="")
    assert Endpoint.objects.count() == 2


@pytest.mark.parametrize(
    "values", [{"host": "FTP.Supplier.example"}, {"host": "ftp.supplier.example."}, {"orders_folder": "in/"}]
)
def test_another_spelling_is_no_other_endpoint(boss, values):
    _add(boss, host="ftp.supplier.example")
    assert "is this server, user and folder already" in _add(
        boss, **{"host": "ftp.supplier.example", "name": "Other", **values}
    )
    assert Endpoint.objects.get().host == "ftp.supplier.example"


def test_a_host_that_was_stored_in_another_spelling_is_no_other_server(boss):
    first = factories.endpoint(protocol="sftp", port=22, host="FTP.Supplier.example", username="u", host_identity=SHOWN)
    _save(boss, first, host="ftp.supplier.example.", password="", max_sessions=2)
    assert (first.max_sessions, first.host_identity, first.host) == (2, SHOWN, "FTP.Supplier.example")
    assert "is this server, user and folder already" in _add(boss, host="ftp.supplier.example")
    twin = factories.endpoint(protocol="sftp", port=22, host="ftp.supplier.example", username="u", orders_folder="in")
    Endpoint.objects.filter(pk=twin.pk).update(replies_folder="")
    _save(boss, twin, host=twin.host, replies_folder="", max_sessions=3)
    assert twin.max_sessions == 3


def test_replies_of_an_endpoint_that_is_switched_off_may_be_read_by_another(boss):
    factories.endpoint(name="First", protocol="sftp", port=22, username="u", is_active=False)
    assert "takes the replies" not in _add(boss, orders_folder="in/other")
    second = Endpoint.objects.get(name="New")
    assert (second.replies_folder, second.is_active) == ("out", True)


def test_a_private_key_goes_in_and_never_comes_out(boss):
    key = _key("open sesame")
    assert "The private key has a passphrase. Enter it, too." in _add(boss, password="", private_key=key)
    wrong = _add(boss, password="", private_key=key, key_passphrase="open barley")
    assert "The passphrase does not open the private key." in wrong and "OPENSSH" not in wrong
    _add(boss, password="", private_key=key, key_passphrase="open sesame")
    endpoint = Endpoint.objects.get()
    assert (endpoint.private_key.strip(), endpoint.key_passphrase) == (key.strip(), "open sesame")
    page = boss.get(f"{BASE}/{endpoint.pk}/change/").content.decode()
    assert "OPENSSH" not in page and "open sesame" not in page
    _save(boss, endpoint, password="")
    assert endpoint.private_key.strip() == key.strip()
    blank = {"private_key": "", "key_passphrase": ""}
    _save(boss, endpoint, password="p", **blank, clear_private_key="on", clear_key_passphrase="on")
    assert (endpoint.private_key, endpoint.key_passphrase, endpoint.password) == ("", "", "p")


def test_saving_leaves_alone_what_a_run_writes_meanwhile(boss, monkeypatch):
    """A form is read, shown and saved; the lane's claim and its failures must not be set back by it."""
    endpoint = factories.endpoint(protocol="sftp", port=22)
    before = Endpoint.save

    def slow(self, *args, **kwargs):
        Endpoint.objects.filter(pk=self.pk).update(claim_token="c" * 32, attempts=4, stop_reason="530")
        before(self, *args, **kwargs)

    monkeypatch.setattr(Endpoint, "save", slow)
    _save(boss, endpoint, username=endpoint.username, password="", replies_folder="elsewhere")
    assert (endpoint.replies_folder, endpoint.claim_token, endpoint.attempts) == ("elsewhere", "c" * 32, 4)
    assert endpoint.stop_reason == "530"


def test_suppliers_that_share_an_endpoint_are_listed(boss):
    endpoint = factories.endpoint()
    for name in ("Northwind", "Südhaus"):
        factories.supplier(endpoint=endpoint, name=name)
    page = boss.get(f"{BASE}/{endpoint.pk}/change/").content.decode()
    assert ">Northwind</a>" in page and ">Südhaus</a>" in page


def test_a_failed_test_is_seen_on_the_endpoints_page(boss):
    endpoint = factories.endpoint()
    check = EndpointCheck.objects.create(endpoint=endpoint, status="failed")
    page = boss.get(f"{BASE}/{endpoint.pk}/change/").content.decode()
    assert "Failed" in page and f"/admin/suppliers/endpointcheck/{check.pk}/change/" in page


def test_an_endpoint_that_was_tested_can_be_deleted_with_its_tests(boss):
    endpoint = factories.endpoint()
    EndpointCheck.objects.create(endpoint=endpoint, status="passed")
    boss.post(f"{BASE}/{endpoint.pk}/delete/", {"post": "yes"})
    assert not Endpoint.objects.exists() and not EndpointCheck.objects.exists()


class TestConfirming:
    @pytest.fixture
    def endpoint(self):
        return factories.endpoint(protocol="sftp", offered_identity=SHOWN, stopped_at=timezone.now(), stop_reason="new")

    def _press(self, client, endpoint, **data):
        form = {"_form_submitted": "on", "shown": SHOWN, **data}
        answer = client.post(f"{BASE}/{endpoint.pk}/confirm_identity/", form, headers={"HX-Request": "true"})
        endpoint.refresh_from_db()
        return answer

    def test_the_suppliers_fingerprint_is_compared_by_hemi(self, clerk, endpoint):
        assert "It differs" in self._press(clerk, endpoint, fingerprint="SHA256:" + "A" * 43).content.decode()
        assert "or tick that you have compared it" in self._press(clerk, endpoint).content.decode()
        assert endpoint.host_identity == "" and endpoint.stopped_at
        self._press(clerk, endpoint, fingerprint="00ff" * 16)
        assert (endpoint.host_identity, endpoint.offered_identity, endpoint.stopped_at) == (SHOWN, "", None)
        assert endpoint.identity_confirmed_by.username == "clerk"

    def test_what_was_compared_by_a_person_must_still_be_what_the_server_shows(self, clerk, endpoint):
        Endpoint.objects.update(offered_identity="SHA256:" + "B" * 43)
        answer = self._press(clerk, endpoint, is_compared="on")
        assert "yet another identity" in str(*get_messages(answer.wsgi_request))
        assert endpoint.host_identity == ""

    def test_old_and_new_stand_side_by_side(self, clerk, endpoint):
        Endpoint.objects.update(host_identity="SHA256:" + "C" * 43)
        page = clerk.get(f"{BASE}/{endpoint.pk}/change/").content.decode()
        assert "Confirmed before" in page and "C" * 43 in page and SHOWN in page and "Identity to confirm" in page

    def test_where_there_is_nothing_to_confirm_the_button_says_so(self, clerk):
        endpoint = factories.endpoint(protocol="sftp")
        page = clerk.get(f"{BASE}/{endpoint.pk}/change/").content.decode()
        assert "Hemi has not seen the server yet. Press Test connection first." in page
        self._press(clerk, endpoint, is_compared="on")
        assert endpoint.host_identity == ""


def test_a_stored_password_goes_to_no_other_server_unless_it_is_typed_again(boss):
    endpoint = factories.endpoint(protocol="sftp", host="127.0.0.1", port=22, password="secret-1")
    same = {"host": endpoint.host, "port": "22", "username": endpoint.username}
    page = _save(boss, endpoint, password="", **{**same, "host": "127.0.0.2"})
    assert "Type the password again" in page and "secret-1" not in page
    assert endpoint.host == "127.0.0.1"
    _save(boss, endpoint, password="", **{**same, "username": "another"})
    assert (endpoint.username, endpoint.password) == ("another", "secret-1")
    _save(boss, endpoint, password="secret-2", **{**same, "host": "127.0.0.2"})
    assert (endpoint.host, endpoint.password) == ("127.0.0.2", "secret-2")
