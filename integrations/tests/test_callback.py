"""The way back from consent: each check, in its order, and what a client sees."""

import logging
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations import installs
from integrations.models import AccountShopify, InstallLink, Integration, IntegrationCredentials
from integrations.services import install_links
from integrations.tests import hints
from integrations.tests.installing import consent, query_for, signed, without
from integrations.tests.test_install_links import make

pytestmark = pytest.mark.django_db
PATH = "/shopify/callback/"


@pytest.fixture
def link(account):
    return make(account)


@pytest.fixture
def refused(client, caplog):
    """Get the callback with a query; check that it is refused by a rule, and that nothing happened."""

    def get(query, rule, status):
        before = list(InstallLink.objects.order_by("pk").values())
        with caplog.at_level(logging.INFO):
            answer = client.get(f"{PATH}?{query}")
        assert answer.status_code == status
        text = answer.content.decode()
        assert "Your store was not connected" in text
        assert "<script" not in text
        assert answer["Cache-Control"].startswith("max-age=0")
        lines = [record for record in caplog.records if record.getMessage() == "callback.refused"]
        assert lines[-1].rule == rule
        assert list(InstallLink.objects.order_by("pk").values()) == before
        return text

    return get


@pytest.mark.django_db(transaction=True)
def test_accepted_code_is_kept_encrypted_and_the_browser_waits(client, link):
    hints.sent()
    answer = client.get(f"{PATH}?{query_for(link)}")
    assert (answer.status_code, answer["Location"]) == (302, f"{PATH}{link.uuid}/")
    row = InstallLink.objects.get()
    assert (row.status, row.code, row.state) == ("code_received", "0907a61c0c8d55e99db179b68161bc00", "")
    assert row.used_at
    assert hints.sent() == {"integrations.exchange_codes"}
    page = client.get(answer["Location"]).content.decode()
    assert "Connecting…" in page
    assert '<meta http-equiv="refresh" content="2">' in page


@pytest.mark.parametrize("name", ["code", "hmac", "shop", "state", "timestamp"])
@pytest.mark.parametrize("empty", [False, True])
def test_missing_parameter(refused, link, name, empty):
    query = without(query_for(link), name) + (f"&{name}=" if empty else "")
    refused(query, "incomplete", 400)


@pytest.mark.parametrize(
    "changes", [{"timestamp": "soon"}, {"timestamp": "-5"}, {"state": "a b"}, {"code": "x" * 501}, {"code": "a\x00b"}]
)
def test_malformed_parameter(refused, link, changes):
    refused(query_for(link, **changes), "malformed", 400)


def test_repeated_parameter(refused, link):
    refused(f"{query_for(link)}&shop=other.myshopify.com", "malformed", 400)


def test_endless_query(refused, link):
    refused("&".join(f"a{number}=1" for number in range(5000)), "incomplete", 400)


@pytest.mark.parametrize("shop", ["test.myshopify.com.evil.test", "test.myshopify.com\n", "evil.test/a.myshopify.com"])
def test_shop_must_be_one_in_full(refused, link, shop):
    refused(query_for(link, shop=shop), "shop", 400)


def test_unknown_state(refused, link):
    refused(query_for(link, state="f" * 64), "state_unknown", 403)


def test_replaced_state(refused, account, link):
    query = query_for(link)
    AccountShopify.objects.update(access_scopes="read_orders")
    make(account)
    refused(query, "state_replaced", 403)


def test_state_of_an_app_that_was_exchanged(refused, link):
    AccountShopify.objects.update(integration=Integration.objects.create(name="Another"))
    refused(query_for(link), "state_replaced", 403)


def test_expired_state(refused, link):
    InstallLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused(query_for(link), "state_expired", 403)


def test_state_of_another_shop(refused, link):
    AccountShopify.objects.create(shop_name="other", integration=link.integration)
    refused(query_for(link, shop="other.myshopify.com"), "state_of_other_shop", 403)


@pytest.mark.parametrize("secret", ["other", ""])
def test_wrong_hmac(refused, link, secret):
    refused(query_for(link, secret=secret), "hmac", 403)


def test_hmac_without_any_secret(refused, link):
    IntegrationCredentials.objects.update(client_secret="", previous_client_secret="")
    refused(query_for(link, secret=""), "hmac", 403)


def test_changed_parameter(refused, link):
    refused(query_for(link).replace("code=0", "code=1"), "hmac", 403)


@pytest.mark.parametrize("off_by", [-100, 100, 10**9])
def test_timestamp_that_is_not_near(refused, link, off_by):
    refused(query_for(link, timestamp=int(time.time()) + off_by), "timestamp", 403)


def test_used_state_with_another_code(client, refused, link):
    assert client.get(f"{PATH}?{query_for(link)}").status_code == 302
    refused(query_for(link, code="another"), "state_used", 403)


def test_declined_consent_leaves_the_link_open(refused, shopify, account):
    _, query = consent(account, decision="decline")
    assert "cancelled" in refused(query, "declined", 403)


def test_checks_come_in_the_order_of_the_contract(refused, client, link):
    """With everything wrong the first rule speaks; each is mended in turn."""
    stale = {"timestamp": int(time.time()) - 1000}
    refused(signed("bad", shop="evil.test", state="0" * 64, **stale), "incomplete", 400)
    refused(query_for(link, "bad", shop="evil.test", state="0" * 64, **stale), "shop", 400)
    refused(query_for(link, "bad", shop="other.myshopify.com", state="0" * 64, **stale), "state_unknown", 403)
    refused(query_for(link, "bad", shop="other.myshopify.com", **stale), "state_of_other_shop", 403)
    refused(query_for(link, "bad", **stale), "hmac", 403)
    used = query_for(link, code="another", **stale)
    assert client.get(f"{PATH}?{query_for(link)}").status_code == 302
    refused(used, "timestamp", 403)


def test_same_state_and_code_again_shows_the_progress(client, link):
    query = query_for(link)
    first, again = client.get(f"{PATH}?{query}"), client.get(f"{PATH}?{query}")
    assert (again.status_code, again["Location"]) == (302, first["Location"])
    assert InstallLink.objects.get().attempts == 0


def test_a_page_that_is_opened_again_much_later_shows_the_progress_too(client, link):
    query = query_for(link, timestamp=int(time.time()) - 80)
    first = client.get(f"{PATH}?{query}")
    InstallLink.objects.update(expires_at=timezone.now() - timedelta(days=1))
    later = client.get(f"{PATH}?{query_for(link, timestamp=int(time.time()) - 5000)}")
    assert (later.status_code, later["Location"]) == (302, first["Location"])


def test_previous_secret_and_unknown_parameters_are_fine(client, link):
    IntegrationCredentials.objects.update(client_secret="fresh", previous_client_secret="hush")
    assert client.get(f"{PATH}?{query_for(link, session='abc')}").status_code == 302


def test_log_never_holds_state_code_or_hmac(client, link, caplog):
    query = query_for(link)
    with caplog.at_level(logging.DEBUG):
        client.get(f"{PATH}?{query}")
        client.get(f"{PATH}?{query}&x=1")
    said = "".join(str(vars(record)) for record in caplog.records if record.name.startswith("integrations"))
    for secret in (str(link.state), "0907a61c", query.rpartition("hmac=")[2]):
        assert secret not in said


def test_pages_load_nothing(client, link):
    client.get(f"{PATH}?{query_for(link)}")
    answer = client.get(f"{PATH}{link.uuid}/")
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "src=" not in answer.content.decode()


def test_progress_page_of_a_link_that_was_not_used(client, link):
    assert client.get(f"{PATH}{link.uuid}/").status_code == 404
    assert client.post(PATH).status_code == client.head(PATH).status_code == 405


def test_page_goes_on_once_connected(client, shopify, account):
    Integration.objects.update(landing_url="https://hemi.ai/welcome?a=1&b=2")
    link, query = consent(account)
    client.get(f"{PATH}?{query}")
    installs.exchange_codes()
    page = client.get(f"{PATH}{link.uuid}/").content.decode()
    assert "Connected" in page
    assert '<meta http-equiv="refresh" content="4; url=https://hemi.ai/welcome?a=1&amp;b=2">' in page
    assert '<a href="https://hemi.ai/welcome?a=1&amp;b=2"' in page


def test_page_says_so_when_it_failed(client, shopify, account, link):
    client.get(f"{PATH}?{query_for(link)}")  # a code that this Shopify never gave out
    installs.exchange_codes()
    page = client.get(f"{PATH}{link.uuid}/").content.decode()
    assert "The connection did not work" in page
    assert "new link" in page
    assert "refresh" not in page


def test_long_wait_is_explained(client, link):
    client.get(f"{PATH}?{query_for(link)}")
    InstallLink.objects.update(used_at=timezone.now() - timedelta(minutes=1))
    assert "longer than usual" in client.get(f"{PATH}{link.uuid}/").content.decode()


def test_link_cannot_be_shown_once_it_is_used(client, link):
    client.get(f"{PATH}?{query_for(link)}")
    with pytest.raises(install_links.Refused, match="Generate a new one"):
        install_links.authorize_url(InstallLink.objects.get())
