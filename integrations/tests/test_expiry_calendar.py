"""What ends when, on one page for all accounts."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from integrations import expiry_calendar
from integrations.models import AccountShopify, Integration, IntegrationCredentials
from integrations.tests.test_install_links import make

pytestmark = pytest.mark.django_db
URL = "/admin/integrations/accountshopify/expiry-calendar/"


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("ann", password="a long password"))
    return client


def ends():
    return {end.what: end for end in expiry_calendar.ends()}


def connect(**values):
    AccountShopify.objects.update(access_token="t", token_version=1)
    AccountShopify.objects.update(**values)


def test_nothing_ends_where_nothing_is_connected(account):
    assert expiry_calendar.ends() == expiry_calendar.renewed() == []


def test_the_api_version_ends_a_year_after_its_quarter(account):
    connect()
    assert ends()["API version 2026-10"].at == datetime(2027, 10, 1, tzinfo=UTC)
    Integration.objects.update(api_version="2025-07")
    assert ends()["API version 2025-07"].is_over


def test_an_api_version_in_use_is_listed_whoever_else_is_not_connected_yet(account, integration):
    AccountShopify.objects.create(client=account.client, integration=integration, shop_name="waiting")
    assert "API version 2026-10" not in ends()
    connect()
    AccountShopify.objects.filter(shop_name="waiting").update(access_token="")
    assert [end.of for end in expiry_calendar.ends() if end.what == "API version 2026-10"] == [integration]


@pytest.mark.parametrize(("app_type", "is_listed"), [("public", True), ("private", True), ("custom", False)])
def test_lasting_tokens_of_public_apps_end_with_the_year(account, app_type, is_listed):
    connect()
    Integration.objects.update(app_type=app_type)
    end = ends().get("Token that does not expire, of a public app")
    assert (end is not None) == is_listed == expiry_calendar.unready().exists()
    assert end is None or (end.at == datetime(2027, 1, 1, tzinfo=UTC) and end.of == account)
    connect(token_expires_at=timezone.now(), refresh_token="r")
    assert not expiry_calendar.unready().exists()


def test_tokens_that_hemi_renews_stand_apart(account):
    soon, later = timezone.now() + timedelta(minutes=30), timezone.now() + timedelta(days=90)
    connect(token_expires_at=soon, refresh_token="r", refresh_expires_at=later)
    (row,) = expiry_calendar.renewed()
    assert (row.account, row.token_until, row.refresh_until, row.is_late) == (account, soon, later, False)
    assert "Access token that cannot be renewed" not in ends()
    connect(token_expires_at=timezone.now())
    assert expiry_calendar.renewed()[0].is_late


def test_a_token_that_nothing_renews_needs_a_person(account):
    connect(token_expires_at=timezone.now() + timedelta(hours=1))
    assert ends()["Access token that cannot be renewed"].of == account


def test_links_overlaps_and_refusals(account):
    link = make(account)
    until = timezone.now() + timedelta(days=3)
    IntegrationCredentials.objects.update(previous_client_secret="old", previous_secret_until=until)
    connect(problem="reauthorise")
    found = ends()
    assert found["Install link"].at == link.expires_at
    assert found["Overlap of two client secrets"].at == until
    assert expiry_calendar.ends()[0] == found["The client must authorise again"]  # what is over comes first


def test_the_page_is_in_the_sidebar_and_for_those_who_may_see_accounts(staff, client, account):
    Integration.objects.update(app_type="public")
    connect()
    assert URL in staff.get("/admin/").content.decode()
    text = unescape(staff.get(URL).content.decode())
    assert "not ready for 1 January 2027" in text
    assert f"/admin/integrations/accountshopify/{account.pk}/change/" in text
    viewer = User.objects.create_user("viewer", is_staff=True)
    client.force_login(viewer)
    assert client.get(URL).status_code == 403
    assert URL not in client.get("/admin/").content.decode()
    viewer.user_permissions.add(Permission.objects.get(codename="view_accountshopify"))
    assert client.get(URL).status_code == 200


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        (URL, "Expiry calendar"),
        ("/admin/integrations/accountshopify/", "Accounts Shopify"),
        ("/admin/integrations/accountshopify/add/", "Accounts Shopify"),
        ("/admin/", "Overview"),
        ("/admin/password_change/", None),
    ],
)
def test_the_sidebar_marks_the_page_that_is_open(staff, url, entry):
    groups = staff.get(url).context["sidebar_navigation"]
    marked = [str(item["title"]) for group in groups for item in group["items"] if item["active"]]
    assert marked == ([entry] if entry else [])


def test_many_accounts_cost_no_more_queries(staff, account, django_assert_max_num_queries):
    rows = [
        AccountShopify(
            shop_name=f"shop-{number}",
            integration=account.integration,
            access_token="t",
            refresh_token="r",
            token_expires_at=timezone.now(),
            refresh_expires_at=timezone.now(),
        )
        for number in range(60)
    ]
    AccountShopify.objects.bulk_create(rows)
    with django_assert_max_num_queries(14):
        assert staff.get(URL).content.count(b"Refresh token until") == 60
