"""Each change of the configuration is written down: who, when, before and after; of a secret only that it changed."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from hemi.lib import changes
from hemi.lib.fields import EncryptedTextField
from hemi.lib.recorded import Recorded
from hemi.models import ConfigurationChange
from hemi.tests import one_of_each, searching
from integrations import redaction, tokens
from integrations.models import AccountShopify, Client, Integration, IntegrationCredentials
from integrations.services import accounts
from integrations.shopify.oauth import TokenGrant
from integrations.subjects import Known, Subject
from integrations.tests import pages
from suppliers.models import Endpoint, Mapping, PreSendRule, RoutingRule, Supplier
from suppliers.services import mappings
from suppliers.tests import factories

pytestmark = pytest.mark.django_db

SECRET = "hush-hush-very-secret-123"


@pytest.fixture
def ann():
    return User.objects.create_superuser("ann")


@pytest.fixture
def browser(client, ann):
    client.force_login(ann)
    return client


def _newest():
    return ConfigurationChange.objects.latest("pk")


def _said(change):
    return {entry["name"]: (entry["before"], entry["after"]) for entry in change.fields}


def _since(count):
    return list(ConfigurationChange.objects.order_by("pk")[count:])


def test_all_that_is_configuration_is_recorded():
    recorded = {model.__name__ for model in apps.get_models() if issubclass(model, Recorded)}
    wanted = {"Client", "Integration", "IntegrationCredentials", "AccountShopify", "Supplier", "Endpoint"}
    assert recorded >= wanted | {"RoutingRule", "Mapping", "PreSendRule", "DocumentSchema", "ReplyColumns"}


def test_a_form_says_who_when_before_and_after(browser, account):
    before = timezone.now()
    assert pages.save(browser, pages.page(account), client_email="new@test.example", release_when="created") == {}
    change = _newest()
    assert change.who == "ann" and before <= change.at <= timezone.now() and change.kind == "changed"
    assert (change.label, change.object_id) == ("integrations.accountshopify", str(account.pk))
    assert _said(change) == {
        "client_email": ("owner@test.example", "new@test.example"),
        "release_when": ("When they are paid", "As soon as they are placed"),
    }


def test_a_form_that_changes_nothing_writes_nothing(browser, account):
    count = ConfigurationChange.objects.count()
    assert pages.save(browser, pages.page(account)) == {}
    assert ConfigurationChange.objects.count() == count


def test_a_button_that_a_service_stands_behind_is_there_too(browser, account):
    pages.press(browser, account, "pause", reason="Holidays")
    change = _newest()
    assert change.who == "ann" and _said(change)["pause_reason"] == ("", "Holidays")
    supplier = factories.supplier(mode=Supplier.Mode.TEST)
    pages.press(browser, supplier, "go_live")
    assert _said(_newest()) == {"mode": ("Test: gets test orders only", "Live: gets real orders only")}


def test_what_a_service_refused_is_not_written(browser, account):
    count = ConfigurationChange.objects.count()
    pages.press(browser, account, "resume")
    pages.press(browser, account, "pause", reason="")
    assert ConfigurationChange.objects.count() == count


def test_secrets_only_as_changed(browser, integration):
    data = {"credentials-0-client_secret": SECRET}
    assert pages.save(browser, pages.page(integration), **data) == {}
    change = _newest()
    assert change.label == "integrations.integration" and change.subject == "Credentials of Hemi Orders"
    assert _said(change)["client_secret"] == ("set", "changed")
    assert _said(change)["previous_client_secret"] == ("", "set")
    endpoint = factories.endpoint(password=SECRET)
    endpoint.password = f"{SECRET}-2"
    endpoint.save()
    assert _said(_newest()) == {"password": ("set", "changed")}
    assert searching.in_rows([SECRET]) == []


def test_every_secret_field_is_told_as_a_secret():
    one_of_each.make()
    for model in apps.get_models():
        secrets = [field.name for field in model._meta.fields if isinstance(field, EncryptedTextField)]
        for row in model._base_manager.all() if issubclass(model, Recorded) else []:
            before = model._base_manager.get(pk=row.pk)
            for name in secrets:
                setattr(row, name, SECRET)
                setattr(before, name, "")
            fields = changes.differences(before, row, secrets)
            assert SECRET not in str(fields) and len(fields) == len(secrets)


def test_rows_that_go_with_another_are_written_down_too(browser, account):
    supplier = factories.supplier()
    RoutingRule.objects.create(supplier=supplier, account=account, vendor="Somebody")
    mapping = mappings.add(mapping=Mapping(supplier=supplier, xslt="<o/>"), by=None)
    PreSendRule.objects.create(supplier=supplier, field="email", demand="required")
    count = ConfigurationChange.objects.count()
    pk = account.pk
    assert browser.post(pages.page(account, "delete"), {"post": "yes"}).status_code == 302
    found = {(change.label, change.kind, change.who) for change in _since(count)}
    assert ("suppliers.routingrule", "deleted", "ann") in found
    assert ("integrations.accountshopify", "deleted", "ann") in found
    count = ConfigurationChange.objects.count()
    supplier.delete()
    found = {(change.label, change.subject.split()[0], change.kind) for change in _since(count)}
    assert found == {
        ("suppliers.supplier", "Supplier", "deleted"),
        ("suppliers.mapping", "Mapping", "deleted"),
        ("suppliers.supplier", "Pre-send", "deleted"),
    }
    assert mapping.version == 1 and not AccountShopify.objects.filter(pk=pk).exists()


def test_whatever_way_it_is_written(ann):
    client = Client.objects.create(name="One")
    assert _newest().kind == "added" and _said(_newest()) == {"name": ("", "One")}
    client.name = "Two"
    client.save(update_fields=["name"])
    assert _said(_newest()) == {"name": ("One", "Two")}
    Client.objects.filter(pk=client.pk).update(notes="Note")
    assert _said(_newest()) == {"notes": ("", "Note")}
    Client.objects.update_or_create(name="Two", defaults={"notes": "Other"})
    assert _said(_newest()) == {"notes": ("Note", "Other")}
    Client.objects.bulk_create([Client(name="Three")])
    assert _said(_newest()) == {"name": ("", "Three")}
    Client.objects.bulk_update([Client(pk=client.pk, notes="Bulk")], ["notes"])
    assert _said(_newest()) == {"notes": ("Other", "Bulk")}
    account = AccountShopify.objects.create(shop_name="a", client=client)
    client.accountshopify_set.update(client=None)
    assert _said(_newest()) == {"client": ("Two", "")} and _newest().object_id == str(account.pk)
    Client.objects.all().delete()
    assert [change.kind for change in ConfigurationChange.objects.all()[:2]] == ["deleted", "deleted"]
    assert _newest().who == "Hemi"


def test_an_update_that_fails_leaves_no_word(account):
    count = ConfigurationChange.objects.count()
    Integration.objects.create(name="Other")
    with pytest.raises(ValueError, match="wanted"), changes.noted(AccountShopify.objects.all(), ["shop_name"]):
        AccountShopify._base_manager.update(shop_name="gone")
        raise ValueError("wanted")
    account.refresh_from_db()
    assert account.shop_name == "test" and ConfigurationChange.objects.count() == count + 1


def test_what_hemi_does_all_day_costs_and_writes_nothing(account, django_assert_num_queries):
    endpoint = factories.endpoint()
    count = ConfigurationChange.objects.count()
    with django_assert_num_queries(2):
        Endpoint.objects.filter(pk=endpoint.pk).update(claim_token="x", attempts=1)
        AccountShopify.objects.filter(pk=account.pk).update(checked_at=timezone.now())
    assert ConfigurationChange.objects.count() == count


def test_a_token_that_renews_itself_is_no_change_but_the_first_and_the_last_are(account, ann):
    def store(token):
        version = AccountShopify.objects.get(pk=account.pk).token_version
        assert tokens.store(account, TokenGrant(token, "read_orders"), seen_version=version)

    store("first-token")
    assert _said(_newest())["access_token"] == ("", "set") and _newest().who == "Hemi"
    AccountShopify.objects.filter(pk=account.pk).update(orders_from=timezone.now() - timedelta(days=1))
    count = ConfigurationChange.objects.count()
    store("second-token")
    assert ConfigurationChange.objects.count() == count
    accounts.clear_token(account=account, by=ann)
    assert _said(_newest()) == {"access_token": ("set", "")}


def test_users_groups_and_their_rights(browser, ann):
    ben = User.objects.create_user("ben", password="a-first-password-1")
    assert _said(_newest())["username"] == ("", "ben") and _said(_newest())["password"] == ("", "set")
    words = {"password1": "a-second-password-2", "password2": "a-second-password-2"}
    assert browser.post(f"/admin/auth/user/{ben.pk}/password/", words).status_code == 302
    assert _said(_newest()) == {"password": ("set", "changed")} and _newest().who == "ann"
    group = Group.objects.create(name="Own")
    right = Permission.objects.get(codename="view_order")
    group.permissions.add(right)
    assert "Can view order" in _said(_newest())["permissions"][1]
    ben.groups.set([group])
    assert _said(_newest()) == {"groups": ("", "given: Own")} and _newest().label == "auth.user"
    group.user_set.clear()
    assert _said(_newest()) == {"groups": ("taken: Own", "")} and _newest().object_id == str(ben.pk)
    ben.user_permissions.add(right)
    assert _newest().label == "auth.user"
    ben.refresh_from_db()
    ben.is_superuser = True
    ben.save()
    assert _said(_newest()) == {"is_superuser": ("no", "yes")}
    ben.delete()
    assert _newest().kind == "deleted" and searching.in_rows(["a-second-password-2"]) == []


def test_a_login_is_no_change(client):
    User.objects.create_user("ben", password="a-first-password-1", is_staff=True)
    count = ConfigurationChange.objects.count()
    client.post("/admin/login/", {"username": "ben", "password": "a-first-password-1"})
    assert "_auth_user_id" in client.session and ConfigurationChange.objects.count() == count


def test_the_name_of_who_did_it_outlives_the_user(browser, ann, account):
    pages.press(browser, account, "pause", reason="Holidays")
    change = _newest()
    ann.delete()
    change.refresh_from_db()
    assert change.actor_id is None and change.who == "ann"


def test_it_is_shown_on_the_list_and_on_the_page_of_the_object(browser, integration):
    data = {"credentials-0-client_secret": SECRET, "landing_url": "https://shop.example/thanks"}
    assert pages.save(browser, pages.page(integration), **data) == {}
    for url in (pages.page(integration, "history"), pages.page(_newest()), pages.page(_newest(), "history")):
        assert browser.get(url).status_code == 200
    text = browser.get(pages.page(integration, "history")).content.decode()
    assert "https://shop.example/thanks" in text and "Client secret" in text and SECRET not in text
    assert "Landing page" in browser.get("/admin/hemi/configurationchange/?q=Hemi+Orders").content.decode()


def test_what_is_told_cannot_be_changed_by_hand(browser, account):
    pages.press(browser, account, "pause", reason="Holidays")
    change = _newest()
    assert browser.post(pages.page(change), {"subject": "x"}).status_code == 403
    assert browser.post(pages.page(change, "delete"), {"post": "yes"}).status_code == 403
    assert browser.post("/admin/hemi/configurationchange/add/", {}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [change.pk], "post": "yes"}
    browser.post("/admin/hemi/configurationchange/", bulk)
    assert ConfigurationChange.objects.filter(pk=change.pk, subject=change.subject).exists()


def test_a_store_that_wants_to_be_forgotten_is_forgotten_here_too(browser, account):
    assert pages.save(browser, pages.page(account), client_email="second@test.example") == {}
    assert searching.in_rows(["owner@test.example", "second@test.example"])
    account.refresh_from_db()
    redaction.redact(Subject(account=account, asked_at=timezone.now()), Known())
    assert searching.in_rows(["owner@test.example", "second@test.example"]) == []


def test_long_values_are_cut(account):
    Client.objects.filter(pk=account.client_id).update(notes="x" * 5_000)
    assert len(_said(_newest())["notes"][1]) < 2_100
    assert IntegrationCredentials.objects.count() == 1
