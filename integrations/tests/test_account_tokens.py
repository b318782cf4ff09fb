"""Tokens in the admin: pasted and checked at once, asked for, moved; and what Shopify refuses, with what to do next."""

from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from integrations import connections, problems, renewals, scope_check
from integrations.models import AccountEvent, AccountShopify, Integration, IntegrationCredentials, StaffAlert
from integrations.services import locations
from integrations.shopify import queries, stores
from integrations.shopify.errors import Denial, Kind, ShopifyError
from integrations.tests import webhooks
from integrations.tests.pages import act, page, press, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("ann", password="a long password"))
    return client


def said_on(staff, account):
    return unescape(staff.get(page(account)).content.decode())


class TestPasted:
    """An internal app: the client's token is pasted and checked with a real call before it is stored."""

    @pytest.fixture(autouse=True)
    def internal(self, integration):
        Integration.objects.update(app_type=Integration.AppType.INTERNAL)

    def test_ends_with_a_working_token(self, staff, shopify, account):
        token = shopify.issue_token("client-1", "test", ["read_products"])
        assert not save(staff, page(account), access_token=token)
        account.refresh_from_db()
        with connections.client_for(account) as client:
            assert stores.shop(client).name == "test"

    def test_works_for_a_new_account_too(self, staff, shopify, integration):
        shopify.add_shop("fresh")
        token = shopify.issue_token("client-1", "fresh", ["read_products"])
        url = reverse("admin:integrations_accountshopify_add")
        wrong = save(staff, url, shop_name="fresh", integration=integration.pk, access_token="shpat_wrong")
        assert "does not accept this token" in str(wrong["access_token"])
        assert not AccountShopify.objects.exists()
        assert not save(staff, url, shop_name="fresh", integration=integration.pk, access_token=token)
        assert AccountShopify.objects.get().access_token == token

    def test_a_token_that_shopify_refuses_is_not_stored(self, staff, shopify, account):
        errors = save(staff, page(account), access_token="shpat_wrong")
        assert "does not accept this token" in str(errors["access_token"])
        account.refresh_from_db()
        assert (account.access_token, account.token_version) == ("", 0)

    def test_another_stores_token_is_not_stored(self, staff, shopify, account):
        shopify.add_shop("other")
        token = shopify.issue_token("client-1", "other", ["read_products"])
        assert save(staff, page(account), access_token=token)
        account.refresh_from_db()
        assert not account.is_authorised

    def test_a_token_that_could_not_be_checked_is_not_stored(self, staff, shopify, account):
        token = shopify.issue_token("client-1", "test", ["read_products"])
        shopify.stop()
        assert "Try again" in str(save(staff, page(account), access_token=token)["access_token"])
        account.refresh_from_db()
        assert not account.is_authorised

    def test_a_viewer_makes_no_call(self, client, shopify, account):
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_accountshopify"))
        client.force_login(viewer)
        shopify.add_fault("500", count=1)
        client.post(page(account), {"access_token": "shpat_x", "shop_name": "test"})
        assert shopify.faults.take("graphql", "test") == "500"  # nobody met it

    def test_the_buttons_say_that_there_is_no_link(self, staff, account):
        assert "it has no install link; paste its access token" in said_on(staff, account)


def test_an_app_of_the_clients_organisation_is_asked_for_a_token(staff, shopify, account):
    Integration.objects.update(app_type=Integration.AppType.ORGANISATION)
    app = shopify.state.apps["client-1"]
    app.organisation_shops, app.released_scopes = {"test"}, ["read_products"]
    assert "Hemi gets its token with the client id and secret by itself" in said_on(staff, account)
    _, said = press(staff, account, "get_token")
    assert "within seconds" in said[0]
    renewals.renew_tokens()
    account.refresh_from_db()
    assert account.is_authorised
    assert "asks for the next one by client id and secret" in said_on(staff, account)
    first = account.access_token
    press(staff, account, "get_token")
    renewals.renew_tokens()
    account.refresh_from_db()
    assert account.access_token != first


def test_moving_says_that_it_cannot_be_undone_and_goes_through_the_row(staff, shopify, store):
    asked = unescape(staff.get(page(store, "move_to_expiring"), headers={"HX-Request": "true"}).content.decode())
    assert "This cannot be undone" in asked
    _, said = press(staff, store, "move_to_expiring")
    assert "within seconds" in said[0]
    assert shopify.state.token_requests == []  # the page asks nobody
    renewals.renew_tokens()
    store.refresh_from_db()
    assert store.refresh_token
    _, said = press(staff, store, "move_to_expiring")
    assert said == ["Its token expires already, and Hemi renews it."]
    assert AccountEvent.objects.filter(account=store, kind="token_move_asked").count() == 1


def test_many_are_moved_from_the_list(staff, shopify, store):
    shopify.add_shop("second")
    token = shopify.issue_token("client-1", "second", ["read_products"])
    second = AccountShopify.objects.create(shop_name="second", integration=store.integration, access_token=token)
    third = AccountShopify.objects.create(shop_name="third", integration=store.integration)
    rows = [store.pk, second.pk, third.pk]
    asked = {"action": "move_to_expiring_tokens", "_selected_action": rows, "select_across": "0"}
    page_asking = staff.post(reverse("admin:integrations_accountshopify_changelist"), asked).content.decode()
    assert "This cannot be undone" in page_asking
    assert all(f"<li>{name}</li>" in page_asking for name in ("test", "second", "third"))
    assert not AccountShopify.objects.exclude(expiring_asked_at=None).exists()
    _, said = act(staff, AccountShopify, "move_to_expiring_tokens", store, second, third, confirmed="yes")
    assert said[0] == "2 to be moved."
    assert said[1].startswith("third: The account has no access token")
    renewals.renew_tokens()
    assert AccountShopify.objects.exclude(refresh_token="").count() == 2


def refuse_scope(shopify, store):
    shopify.state.tokens[str(store.access_token)] = shopify.state.tokens[
        shopify.issue_token("client-1", "test", ["read_products"])
    ]


def refuse_kind(shopify, store):
    shopify.state.apps["client-1"].refuses_lasting_tokens = True


@pytest.mark.parametrize(
    ("spoil", "problem", "short", "advice"),
    [
        (refuse_scope, "scope", "Scope missing", "account's Access Scopes"),
        (refuse_kind, "token_kind", "Token refused", "Move to an expiring token"),
    ],
)
def test_what_is_refused_is_told_apart_on_the_account_and_over_once_it_works(
    staff, shopify, store, spoil, problem, short, advice
):
    token, app = str(store.access_token), shopify.state.apps["client-1"]
    good = shopify.state.tokens[token]
    spoil(shopify, store)
    with pytest.raises(ShopifyError) as caught:
        locations.refresh(account=store, by=None)
    assert (caught.value.kind, caught.value.denial) == (Kind.FORBIDDEN, Denial(problem))
    store.refresh_from_db()
    assert store.problem == problem
    text = said_on(staff, store)
    assert advice in text
    assert store.problem_text in text
    listed = staff.get(reverse("admin:integrations_accountshopify_changelist")).content.decode()
    assert short in listed
    assert StaffAlert.objects.get(cleared_at=None).kind == f"problem_{problem}"
    shopify.state.tokens[token], app.refuses_lasting_tokens = good, False
    locations.refresh(account=store, by=None)
    store.refresh_from_db()
    assert (store.problem, store.problem_text) == ("", "")
    assert not StaffAlert.objects.filter(cleared_at=None).exists()


def test_protected_data_inside_a_200_is_read_as_what_it_is(staff, shopify, store):
    shopify.state.apps["client-1"].is_approved_for_customers = False
    for _ in range(2):
        with pytest.raises(ShopifyError) as caught, connections.client_for(store) as client:
            client.execute("query HemiTest { orders(first: 1) { nodes { id } } }")
    assert (caught.value.status, caught.value.denial) == (200, Denial.PROTECTED)
    store.refresh_from_db()
    assert store.problem == "protected"
    assert "API access requests" in said_on(staff, store)
    assert StaffAlert.objects.count() == AccountEvent.objects.filter(kind="problem_protected").count() == 1
    with connections.client_for(store) as client:
        stores.shop(client)  # another operation that works says nothing about this one
    store.refresh_from_db()
    assert store.problem == "protected"


def test_one_problem_takes_the_place_of_another(store):
    error = ShopifyError(Kind.FORBIDDEN, "Access denied for orders field. Required access: `read_orders` access scope.")
    error.denial = Denial.SCOPE
    problems.note(store.pk, error)
    problems.note(store.pk, ShopifyError(Kind.REAUTHORISE, "Shopify answered 401."))
    problems.note(store.pk, ShopifyError(Kind.TEMPORARY, "Shopify is busy."))
    store.refresh_from_db()
    assert store.problem == "reauthorise"
    assert StaffAlert.objects.get(cleared_at=None).kind == "problem_reauthorise"
    problems.clear(store.pk)
    problems.clear(store.pk)
    assert AccountEvent.objects.filter(kind="problem_over").count() == 1


def test_two_refusals_that_come_in_turn_are_told_once(store):
    for _ in range(3):
        for denial in (Denial.SCOPE, Denial.PROTECTED):
            error = ShopifyError(Kind.FORBIDDEN, "Access denied.")
            error.denial, error.operation = denial, f"Hemi{denial}"
            problems.note(store.pk, error)
    store.refresh_from_db()
    assert store.problem == "scope"
    assert StaffAlert.objects.count() == AccountEvent.objects.count() == 1


class TestScopes:
    """Asked, granted and needed are compared, kept and told."""

    def compare(self, account):
        with connections.client_for(account) as client:
            return scope_check.compare(account, client)

    def test_what_is_missing_is_kept_and_told_once(self, shopify, store):
        AccountShopify.objects.update(access_scopes="read_orders,read_products,read_themes")
        store.refresh_from_db()
        found = self.compare(store)
        assert found.missing == ("read_themes",)
        assert found.missing_needed == ("read_customers", "write_merchant_managed_fulfillment_orders")
        assert found.not_asked_for == ("read_customers", "read_locations", "write_merchant_managed_fulfillment_orders")
        self.compare(store)
        store.refresh_from_db()
        assert store.granted_scopes == "write_orders,read_products,read_locations"
        alert = StaffAlert.objects.get(cleared_at=None)
        assert alert.kind == "scopes" and "read_themes" in alert.text and "read_customers" in alert.text
        assert AccountEvent.objects.filter(kind="scopes").count() == 1

    def test_a_renewal_that_lists_them_shorter_is_no_change(self, shopify, store):
        self.compare(store)
        AccountShopify.objects.update(granted_scopes="read_locations,read_orders,write_orders,read_products")
        self.compare(store)
        assert AccountEvent.objects.filter(kind="scopes").count() == 1

    def test_what_is_needed_and_not_asked_for_is_said_where_people_look(self, staff, shopify, store):
        AccountShopify.objects.update(access_scopes="read_orders")
        store.refresh_from_db()
        self.compare(store)
        assert "Hemi cannot do its work without: read_customers" in said_on(staff, store)
        assert "Put read_customers, write_merchant" in StaffAlert.objects.get(kind="scopes").text
        assert "Hemi needs read_customers" in press(staff, store, "ask_for_scopes")[1][0]

    def test_it_is_over_when_all_are_granted(self, shopify, store):
        AccountShopify.objects.update(access_scopes="read_orders")
        store.refresh_from_db()
        self.compare(store)
        from_now_on = shopify.issue_token("client-1", "test", [*scope_check.scopes.NEEDED, "write_orders"])
        AccountShopify.objects.update(access_token=from_now_on)
        found = self.compare(store)
        assert (found.missing, found.missing_needed) == ((), ())
        assert not StaffAlert.objects.filter(cleared_at=None).exists()

    def test_an_internal_app_is_measured_by_what_hemi_needs(self, shopify, store):
        Integration.objects.update(app_type=Integration.AppType.INTERNAL)
        token = shopify.issue_token("client-1", "test", scope_check.scopes.NEEDED)
        AccountShopify.objects.update(access_token=token)
        store.refresh_from_db()
        assert len(self.compare(store).missing) > 30  # of the list that a new account asks for
        assert not StaffAlert.objects.exists()

    def test_a_refusal_keeps_what_was_known(self, shopify, store):
        AccountShopify.objects.update(granted_scopes="read_orders")
        shopify.stop()
        with pytest.raises(ShopifyError):
            self.compare(store)
        store.refresh_from_db()
        assert store.granted_scopes == "read_orders"


def test_a_shape_that_is_not_shopifys_is_the_one_error(shopify, store, monkeypatch):
    monkeypatch.setattr(queries, "SHOP", "query HemiShop { shop { id } }")  # an answer that lacks a field
    with pytest.raises(ShopifyError, match=r"shop\.myshopifyDomain"), connections.client_for(store) as client:
        stores.shop(client)


class TestSecrets:
    """A new client secret leaves no gap: the old one is accepted until a date."""

    def prefix(self, staff, integration):
        return staff.get(page(integration)).context["inline_admin_formsets"][0].formset.prefix

    def rotate(self, staff, integration, secret="new-secret", **more):
        fields = {f"{self.prefix(staff, integration)}-0-{name}": value for name, value in more.items()}
        return save(
            staff, page(integration), **{f"{self.prefix(staff, integration)}-0-client_secret": secret}, **fields
        )

    def test_the_old_one_is_kept_for_a_week(self, staff, account, client):
        assert not self.rotate(staff, account.integration)
        row = IntegrationCredentials.objects.get()
        assert (row.client_secret, row.previous_client_secret) == ("new-secret", "hush")
        assert timedelta(days=6.9) < row.previous_secret_until - timezone.now() <= timedelta(days=7)
        assert webhooks.post(client, account, secret="hush").status_code == 200
        assert webhooks.post(client, account, secret="new-secret", Webhook_Id="w-2").status_code == 200

    def test_its_end_can_be_chosen(self, staff, account):
        day = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
        more = {"previous_secret_until_0": f"{day:%Y-%m-%d}", "previous_secret_until_1": f"{day:%H:%M:%S}"}
        assert not self.rotate(staff, account.integration, **more)
        assert IntegrationCredentials.objects.get().previous_secret_until == day

    def test_after_its_end_only_the_current_one_counts(self, staff, account, client):
        self.rotate(staff, account.integration)
        IntegrationCredentials.objects.update(previous_secret_until=timezone.now() - timedelta(seconds=1))
        assert webhooks.post(client, account, secret="hush").status_code == 401
        assert webhooks.post(client, account, secret="new-secret").status_code == 200

    def test_the_overlap_can_be_ended_now(self, staff, account, client):
        self.rotate(staff, account.integration)
        press(staff, account.integration, "end_overlap")
        row = IntegrationCredentials.objects.get()
        assert (row.client_secret, row.previous_client_secret, row.previous_secret_until) == ("new-secret", "", None)
        assert webhooks.post(client, account, secret="hush").status_code == 401
        _, said = press(staff, account.integration, "end_overlap")
        assert said == ["No previous client secret is stored."]

    def test_the_same_secret_again_is_no_rotation(self, staff, account):
        self.rotate(staff, account.integration, secret="hush")
        row = IntegrationCredentials.objects.get()
        assert (row.client_secret, row.previous_client_secret, row.previous_secret_until) == ("hush", "", None)

    def test_the_first_secret_has_no_previous_one(self, staff, account):
        IntegrationCredentials.objects.update(client_secret="")
        self.rotate(staff, account.integration)
        row = IntegrationCredentials.objects.get()
        assert (row.client_secret, row.previous_client_secret, row.previous_secret_until) == ("new-secret", "", None)

    def test_a_webhook_is_still_one_look_up_and_one_insert(self, staff, account, client, django_assert_num_queries):
        self.rotate(staff, account.integration)
        with django_assert_num_queries(2):
            assert webhooks.post(client, account, secret="hush").status_code == 200
