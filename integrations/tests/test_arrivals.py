"""A store's owner who comes by Shopify's own install link: both orders of events end with a token."""

import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from integrations import install_mails, installs
from integrations.models import AccountEvent, AccountShopify, Client, InstallLink, Integration, IntegrationCredentials
from integrations.services import accounts, arrivals, install_links
from integrations.tests.installing import signed
from sandbox.shopify import ConsentFailed, follow, give_consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(shopify, integration):
    """A custom app that can only be installed by Shopify's own link first."""
    app = shopify.state.apps["client-1"]
    app.app_url, app.needs_install_link = f"https://hemi.test/shopify/install/{integration.uuid}/", True
    Integration.objects.update(install_url=f"{shopify.url}{shopify.install_link('client-1', 'test')}")
    return app


@pytest.fixture
def visit(client, integration):
    """Open the App URL with a query, or with one that is signed."""

    def get(query=None, secret="hush", uuid=None, **fields):
        fields = {"shop": "test.myshopify.com", "timestamp": int(time.time()), "host": "YWRtaW4", **fields}
        return client.get(f"/shopify/install/{uuid or integration.uuid}/?{query or signed(secret, **fields)}")

    return get


def open_in_hemi(client, address):
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}")


def consent_and_come_back(client, authorize_url, **choices):
    answer = open_in_hemi(client, give_consent(authorize_url, **choices))
    installs.exchange_codes()
    return client.get(answer["Location"])


def test_shopifys_link_first_then_hemis_by_mail(client, app, account, mailbox):
    install_links.mail(account=account, by=None)
    install_mails.send()
    (mail,) = mailbox.wait_for("owner@test.example")
    link = InstallLink.objects.get()
    assert (mail.links[0], "state=" in mail.text) == (Integration.objects.get().install_url, False)
    with pytest.raises(ConsentFailed, match="cannot be used"):
        give_consent(install_links.authorize_url(link))
    answer = open_in_hemi(client, follow(mail.links[0]))
    assert (answer.status_code, answer["Location"]) == (302, install_links.authorize_url(link))
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "Connected" in consent_and_come_back(client, answer["Location"]).content.decode()
    account.refresh_from_db()
    assert account.is_authorised and not account.is_unclaimed
    assert InstallLink.objects.get().status == "connected"


def test_hemis_link_first_then_the_app_is_opened(client, shopify, account, visit):
    shopify.state.apps["client-1"].app_url = "unused"
    link = install_links.get_or_make(account=account, by=None)
    consent_and_come_back(client, install_links.authorize_url(link))
    answer = visit()
    assert answer.status_code == 200
    assert "Connected already" in answer.content.decode()
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert InstallLink.objects.count() == 1
    account.refresh_from_db()
    assert account.token_version == 1


@pytest.mark.parametrize("kind", ["custom", "private", "public"])
def test_every_kind_of_app_ends_with_a_token_either_way(client, shopify, account, visit, kind):
    Integration.objects.update(app_type=kind)
    answer = visit()
    assert answer.status_code == 302
    consent_and_come_back(client, answer["Location"])
    account.refresh_from_db()
    assert account.is_authorised
    accounts.disconnect(account=account, reason="Once more.", by=None)
    link = install_links.get_or_make(account=account, by=None)
    consent_and_come_back(client, install_links.authorize_url(link))
    account.refresh_from_db()
    assert account.is_authorised and account.disconnected_at is None


def test_a_request_sent_again_makes_no_second_link(visit, shopify, account):
    query = signed(shop="test.myshopify.com", timestamp=int(time.time()))
    places = {visit(query)["Location"] for _ in range(5)}
    assert len(places) == InstallLink.objects.count() == 1
    assert parse_qs(urlsplit(places.pop()).query)["state"] == [str(InstallLink.objects.get().state)]


def test_links_made_by_visits_end_somewhere(visit, shopify, account):
    for _ in range(arrivals.MOST_LINKS_AN_HOUR):
        assert visit().status_code == 302
        InstallLink.objects.update(status="failed")
    answer = visit()
    assert (answer.status_code, InstallLink.objects.count()) == (429, arrivals.MOST_LINKS_AN_HOUR)
    InstallLink.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert visit().status_code == 302


def test_a_shop_that_no_account_names_is_taken_in_and_waits_for_its_client(client, shopify, visit, integration):
    shopify.add_shop("stranger")
    answer = visit(shop="stranger.myshopify.com")
    row = AccountShopify.objects.get()
    assert (row.shop_name, row.integration, row.is_unclaimed, row.client) == ("stranger", integration, True, None)
    assert row.paused_at  # nothing goes out for a store that nobody knows
    consent_and_come_back(client, answer["Location"])
    row.refresh_from_db()
    assert row.is_authorised and row.is_unclaimed
    AccountShopify.objects.update(client=Client.objects.create(name="Its owner"))
    row.refresh_from_db()
    accounts.claim(account=row, by=None)
    row.refresh_from_db()
    assert (row.is_unclaimed, row.paused_at) == (False, None)
    assert "Claimed for Its owner." in row.events.values_list("text", flat=True)


def test_strangers_are_taken_in_only_so_often(visit, integration):
    for number in range(arrivals.MOST_STORES_AN_HOUR):
        assert visit(shop=f"shop-{number}.myshopify.com").status_code == 302
    assert visit(shop="one-more.myshopify.com").status_code == 429
    assert AccountShopify.objects.count() == arrivals.MOST_STORES_AN_HOUR


def test_an_unclaimed_store_may_change_its_app_and_another_may_not(visit, account):
    other = Integration.objects.create(name="Another")
    IntegrationCredentials.objects.create(integration=other, client_id="client-2", client_secret="shush")
    for _ in range(2):
        answer = visit(secret="shush", uuid=other.uuid)
        assert (answer.status_code, InstallLink.objects.count()) == (403, 0)
    assert AccountEvent.objects.get().text.startswith("The store's owner opened the app Another")
    AccountShopify.objects.update(is_unclaimed=True)
    assert visit(secret="shush", uuid=other.uuid).status_code == 302
    account.refresh_from_db()
    assert account.integration == other


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"secret": "other"}, 403),
        ({"secret": ""}, 403),
        ({"timestamp": 1}, 403),
        ({"timestamp": int(time.time()) + 10_000}, 403),
        ({"timestamp": "soon"}, 400),
        ({"timestamp": None}, 400),
        ({"shop": None}, 400),
        ({"shop": "evil.test"}, 400),
        ({"shop": "test.myshopify.com.evil.test"}, 400),
        ({"shop": "test.myshopify.com\n"}, 400),
        ({"query": "shop=test.myshopify.com"}, 400),
        ({"uuid": "11111111-1111-1111-1111-111111111111"}, 404),
    ],
)
def test_refusals_make_nothing(visit, account, caplog, change, status):
    answer = visit(**change)
    text = answer.content.decode()
    assert (answer.status_code, InstallLink.objects.count(), AccountShopify.objects.count()) == (status, 0, 1)
    assert "<script" not in text and "Your store was not connected" in text
    assert "hmac=" not in caplog.text


def test_the_previous_secret_is_good_until_its_date(visit, account):
    IntegrationCredentials.objects.update(client_secret="fresh", previous_client_secret="hush")
    assert visit().status_code == 302
    IntegrationCredentials.objects.update(previous_secret_until=timezone.now() - timedelta(seconds=1))
    assert visit().status_code == 403


def test_inactive_and_internal_apps_take_nobody_in(visit, account):
    Integration.objects.update(app_type="internal")
    assert visit(shop="stranger.myshopify.com").status_code == 403
    Integration.objects.update(app_type="custom", is_active=False)
    assert visit().status_code == 404
    assert (AccountShopify.objects.count(), InstallLink.objects.count()) == (1, 0)


def test_uninstalled_and_installed_again_though_nobody_told_hemi(client, shopify, account, visit):
    """The webhook of the uninstall was lost: the stored token looks good and is dead."""
    consent_and_come_back(client, visit()["Location"])
    account.refresh_from_db()
    shopify.revoke_token(str(account.access_token))
    answer = visit()
    assert answer.status_code == 302
    consent_and_come_back(client, answer["Location"])
    account.refresh_from_db()
    assert (account.token_version, account.problem) == (2, "")
    assert visit().status_code == 200


def test_scopes_that_are_missing_are_asked_for_at_the_visit(client, shopify, account, visit):
    AccountShopify.objects.update(access_scopes="read_orders,read_products")
    consent_and_come_back(client, visit()["Location"], without=["read_products"])
    answer = visit()
    assert answer.status_code == 302
    consent_and_come_back(client, answer["Location"])
    assert visit().status_code == 200


def test_shopify_that_is_away_leaves_a_connected_store_connected(client, shopify, account, visit):
    consent_and_come_back(client, visit()["Location"])
    shopify.stop()
    assert visit().status_code == 200
    assert InstallLink.objects.count() == 1


def test_only_get(client, integration):
    path = f"/shopify/install/{integration.uuid}/"
    assert client.post(path).status_code == client.head(path).status_code == 405
