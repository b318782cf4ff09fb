"""SHOPLINE accounts in the admin: settings that wait beside those in force, their approval, and who may do what."""

import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from integrations.models import AccountShopline, AccountShoplineEvent, Client
from integrations.services import proxy_settings
from integrations.services.refusals import Refused
from integrations.tests.pages import form_of, page, press, said_to, save
from orders.models import ShopperLink

pytestmark = pytest.mark.django_db
LIVE = ("apps", "hemiapp", "https://hemi.test/shopline/proxy")
APPROVAL = ["submit", "approve", "reject"]


@pytest.fixture
def shop():
    owner = Client.objects.create(name="Tea & Co")
    return AccountShopline.objects.create(client=owner, merchant_id="m-1", shop_name="Teehaus", app_id="hemiapp")


@pytest.fixture
def live(staff, shop):
    """The shop with approved settings."""
    AccountShopline.objects.update(proxy_enabled=True, app_proxy_secret="a-secret-word")  # noqa: S106
    press(staff, shop, "submit")
    decide(staff, shop, "approve")
    shop.refresh_from_db()
    assert shop.in_force == LIVE
    return shop


def person(*rights):
    user = User.objects.create_user(f"person{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"{right}_accountshopline" for right in rights]))
    return user


def mark_of(browser, account, button):
    """Return the hidden mark of an open dialog."""
    return browser.get(page(account, button)).context["form"]["seen"].value()


def decide(browser, account, button, **form):
    return press(browser, account, button, seen=mark_of(browser, account, button), **form)


def saved(browser, account, **changes):
    """Send the account's form, and forget what was said; return the errors."""
    errors = save(browser, page(account), **changes)
    browser.cookies.pop("messages", None)
    return errors


def row(account):
    return AccountShopline.objects.values().get(pk=account.pk)


def text_of(browser, account):
    return unescape(browser.get(page(account)).content.decode())


def test_an_account_is_made_with_its_pasted_secret(staff):
    owner = Client.objects.create(name="Tea & Co")
    url = reverse("admin:integrations_accountshopline_add")
    wishes = {"client": owner.pk, "merchant_id": "m-1", "shop_name": "Teehaus", "app_proxy_secret": " pasted-secret "}
    assert not save(staff, url, **wishes)
    account = AccountShopline.objects.get()
    assert (account.app_proxy_secret, account.state, account.in_force) == ("pasted-secret", "draft", ("", "", ""))
    assert [event.text for event in account.events.order_by("pk")] == [
        "The account was made.",
        "The App Proxy Secret was pasted.",
    ]
    assert "pasted-secret" not in text_of(staff, account)


@pytest.mark.parametrize(
    "field, value, told",
    [
        ("app_proxy_secret", "two words", "without spaces"),
        ("app_proxy_secret", "short", "at least 8"),
        ("merchant_id", "m/1", "Letters, digits"),
        ("app_id", "../admin", "Letters, digits"),
        ("seo_slug", "slug%2f", "Letters, digits"),
        ("brand_colour", "red;}", "six digits"),
        ("time_zone", "Asia/Taibei", "Asia/Taipei"),
        ("subpath_prefix", "admin", "not one of the available choices"),
        ("proxy_url", "ftp://shop.example/", "https://"),
        ("proxy_url", "https://me:word@shop.example/", "without user"),
        ("proxy_url", "https://shop.example/?a=1", "without user, password, ? and #"),
        ("proxy_url", "https://169.254.169.254/latest", "private address"),
        ("proxy_url", "https://hem\uff49.test/", "ASCII form"),
        ("proxy_url", "https://hemi.test/admin/", "Hemi itself"),
    ],
)
def test_what_cannot_work_is_not_stored(staff, shop, field, value, told):
    before = row(shop)
    assert told in str(saved(staff, shop, **{field: value})[field])
    assert row(shop) == before
    assert not shop.events.exists()


def test_http_is_for_the_sandbox_only(staff, shop, settings):
    settings.SANDBOX = settings.DEBUG = False
    assert "https://" in str(saved(staff, shop, proxy_url="http://shop.example")["proxy_url"])
    assert not saved(staff, shop, proxy_url="https://shop.example/hemi/")
    shop.refresh_from_db()
    assert shop.proxy_url == "https://shop.example/hemi"


def test_a_slug_cannot_take_the_development_path(staff, shop):
    assert "development version" in str(saved(staff, shop, seo_slug="hemiapp_TEST")["seo_slug"])


class TestApproval:
    """Submitted, approved, rejected: always exactly what was seen."""

    def test_approved_settings_are_in_force(self, staff, shop):
        assert press(staff, shop, "submit")[1] == ["The settings wait for approval."]
        assert row(shop)["live_subpath"] == ""
        assert decide(staff, shop, "approve")[1] == ["The settings are in force."]
        shop.refresh_from_db()
        assert (shop.state, shop.in_force, shop.decided_by.username) == ("approved", LIVE, "ann")
        submitted, approved = shop.events.order_by("pk")
        assert (submitted.kind, approved.kind) == ("submitted", "approved")
        assert (approved.before, approved.after) == ("", "/apps/hemiapp → https://hemi.test/shopline/proxy")
        assert approved.actor.username == "ann"

    def test_the_page_says_what_is_to_be_done_until_shoppers_reach_it(self, staff, shop):
        def told():
            text = re.sub(r"<[^>]+>|\s+", " ", staff.get(page(shop)).content.decode())
            return text.partition("Shoppers reach it")[2][:300]

        assert "switch on Enabled, on the tab App Proxy" in told()
        AccountShopline.objects.update(proxy_enabled=True)
        assert "paste SHOPLINE's on the tab App Proxy" in unescape(told())
        AccountShopline.objects.update(app_proxy_secret="a-secret-word")  # noqa: S106
        assert "submit the settings" in told()
        press(staff, shop, "submit")
        assert "approve the settings, or reject them" in told()
        decide(staff, shop, "approve")
        assert "Live" in told()

    def test_a_change_waits_while_what_is_in_force_stays(self, staff, live):
        assert not saved(staff, live, seo_slug="order-status")
        live.refresh_from_db()
        assert (live.state, live.in_force, live.waiting[1]) == ("draft", LIVE, "order-status")
        assert (live.submitted_at, live.decided_at) == (None, None)
        changed = live.events.get(kind="changed")
        assert (changed.before, changed.after, changed.actor.username) == ("", "order-status", "ann")
        text = text_of(staff, live)
        assert "Waiting: draft" in text and "order-status" in text and "Live" in text

    def test_another_address_of_hemi_waits_too(self, staff, live, settings):
        settings.HEMI_BASE_URL = "https://new.hemi.test"
        assert "Waiting: not submitted" in text_of(staff, live)
        press(staff, live, "submit")
        assert row(live)["live_proxy_url"] == LIVE[2]
        decide(staff, live, "approve")
        assert row(live)["live_proxy_url"] == "https://new.hemi.test/shopline/proxy"

    def test_changed_back_nothing_waits(self, staff, live):
        saved(staff, live, seo_slug="order-status")
        saved(staff, live, seo_slug="")
        live.refresh_from_db()
        assert (live.state, live.in_force) == ("approved", LIVE)
        assert "nothing waits" in press(staff, live, "submit")[1][0]

    def test_what_needs_no_approval_changes_at_once(self, staff, live):
        assert not saved(staff, live, shop_name="Teehaus Nord", brand_colour="#00ff00")
        live.refresh_from_db()
        assert (live.state, live.shop_name, live.brand_colour) == ("approved", "Teehaus Nord", "#00ff00")
        told = {(event.text, event.before, event.after) for event in live.events.filter(kind="changed")}
        assert ("Changed: colour of the shop.", "#1f6feb", "#00ff00") in told
        assert ("Changed: Name of the shop.", "Teehaus", "Teehaus Nord") in told

    def test_rejected_with_its_reason(self, staff, live):
        saved(staff, live, seo_slug="order-status")
        press(staff, live, "submit")
        before = row(live)
        staff.post(page(live, "reject"), {"_form_submitted": "on", "seen": proxy_settings.mark(live)})
        assert row(live) == before  # no reason was given
        decide(staff, live, "reject", reason="The slug is taken.")
        live.refresh_from_db()
        assert (live.state, live.state_reason, live.in_force) == ("rejected", "The slug is taken.", LIVE)
        assert "Reason: The slug is taken." in text_of(staff, live)
        press(staff, live, "submit")
        decide(staff, live, "approve")
        live.refresh_from_db()
        assert (live.live_subpath, live.state_reason) == ("order-status", "")

    def test_another_submission_than_the_one_seen_is_not_approved(self, staff, shop):
        press(staff, shop, "submit")
        seen = mark_of(staff, shop, "approve")
        saved(staff, shop, proxy_url="https://evil.example")
        assert press(staff, shop, "approve", seen=seen)[1] == [
            "Nothing waits for approval: the settings must be submitted first."
        ]
        press(staff, shop, "submit")
        before = row(shop)
        for button, form in (("approve", {}), ("reject", {"reason": "No"})):
            assert "changed or submitted again" in press(staff, shop, button, seen=seen, **form)[1][0]
            assert "changed or submitted again" in press(staff, shop, button, **form)[1][0]
        assert row(shop) == before

    def test_a_change_past_the_form_is_noticed(self, staff, shop):
        press(staff, shop, "submit")
        seen = mark_of(staff, shop, "approve")
        AccountShopline.objects.update(proxy_url="https://evil.example")
        before = row(shop)
        assert "changed after they were submitted" in press(staff, shop, "approve", seen=seen)[1][0]
        shop.refresh_from_db()
        with pytest.raises(Refused):
            proxy_settings.approve(account=shop, seen=seen, by=None)
        assert row(shop) == before
        press(staff, shop, "submit")
        decide(staff, shop, "approve")
        assert row(shop)["live_proxy_url"] == "https://evil.example"

    def test_it_is_decided_once(self, staff, shop):
        press(staff, shop, "submit")
        seen = mark_of(staff, shop, "approve")
        press(staff, shop, "approve", seen=seen)
        before = row(shop)
        assert "Nothing waits" in press(staff, shop, "approve", seen=seen)[1][0]
        assert "Nothing waits" in press(staff, shop, "reject", seen=seen, reason="Too late")[1][0]
        assert row(shop) == before

    def test_a_button_that_cannot_act_says_why(self, staff, shop, settings):
        AccountShopline.objects.update(app_id="")
        text = text_of(staff, shop)
        assert "The release version has no subpath" in text
        assert "Nothing waits for approval" in text
        assert press(staff, shop, "submit")[1][0].startswith("The release version has no subpath")
        AccountShopline.objects.update(app_id="hemiapp")
        settings.HEMI_BASE_URL = ""
        assert "There is no Proxy URL" in press(staff, shop, "submit")[1][0]
        assert row(shop)["state"] == "draft"


class TestRights:
    """Each right alone, by posts that no page of that person offers."""

    @pytest.mark.parametrize(
        "rights, allowed",
        [
            (("view",), []),
            (("approve",), []),  # who may not see the account may not decide about it
            (("view", "change"), ["submit"]),
            (("view", "approve"), ["approve", "reject"]),
            (("view", "revoke", "preview"), []),
        ],
    )
    def test_submit_approve_reject(self, client, staff, shop, rights, allowed):
        for button in APPROVAL:
            AccountShopline.objects.update(state="draft", live_subpath="")
            if button != "submit":
                proxy_settings.submit(account=shop, by=None)
            shop.refresh_from_db()
            form = {"_form_submitted": "on", "seen": proxy_settings.mark(shop), "reason": "A reason"}
            before = row(shop)
            client.force_login(person(*rights))
            answer = client.post(page(shop, button), form)
            assert answer.status_code == (302 if button in allowed else 403)
            assert (row(shop) != before) == (button in allowed)

    def test_who_may_change_cannot_approve_by_the_form(self, client, shop):
        client.force_login(person("view", "change"))
        wishes = {
            "state": "approved",
            "live_prefix": "apps",
            "live_subpath": "mine",
            "live_proxy_url": "https://x.example",
        }
        client.post(page(shop), form_of(client, page(shop)) | wishes | {"shop_name": "New"})
        shop.refresh_from_db()
        assert (shop.shop_name, shop.state, shop.in_force) == ("New", "draft", ("", "", ""))

    def test_who_may_not_make_secrets_cannot_paste_one(self, client, shop):
        client.force_login(person("view", "change", "add"))
        data = form_of(client, page(shop))
        assert "app_proxy_secret" not in data
        client.post(page(shop), data | {"app_proxy_secret": "a-pasted-secret", "previous_app_proxy_secret": "x" * 20})
        add = reverse("admin:integrations_accountshopline_add")
        client.post(add, data | {"merchant_id": "m-2", "app_proxy_secret": "a-pasted-secret"})
        assert AccountShopline.objects.count() == 2
        assert not AccountShopline.objects.exclude(app_proxy_secret="").exists()  # noqa: S106

    def test_a_viewer_changes_nothing_and_sees_no_secret(self, client, shop):
        AccountShopline.objects.update(app_proxy_secret="a-very-secret-word", secret_changed_at=timezone.now())  # noqa: S106
        before = row(shop)
        client.force_login(person("view"))
        text = text_of(client, shop)
        assert "One is stored, since" in text and "a-very-secret-word" not in text
        assert client.post(page(shop), {"shop_name": "Mine", "seo_slug": "mine"}).status_code == 403
        assert row(shop) == before


def test_linked_shoppers_keep_an_account_with_its_client(staff, shop):
    other = Client.objects.create(name="Other")
    ShopperLink.objects.create(shopline=shop, customer_id="c-1", email="ann@shopper.example", source="staff")
    assert not saved(staff, shop, client=other.pk, merchant_id="m-2")
    shop.refresh_from_db()
    assert (shop.client.name, shop.merchant_id) == ("Tea & Co", "m-1")
    assert "Shoppers are linked" in said_to(staff.post(page(shop, "delete"), {"post": "yes"}))[0]
    ShopperLink.objects.all().delete()
    assert staff.post(page(shop, "delete"), {"post": "yes"}).status_code == 302
    assert not AccountShopline.objects.exists() and not AccountShoplineEvent.objects.exists()


def test_an_account_that_shoppers_reach_is_not_deleted(staff, shop):
    AccountShopline.objects.update(proxy_enabled=True)
    assert "Switch that off first" in said_to(staff.post(page(shop, "delete"), {"post": "yes"}))[0]
    assert AccountShopline.objects.exists()


def test_what_waits_for_approval_is_on_the_front_page(staff, shop):
    title = "App Proxy settings that wait for approval"
    assert title not in staff.get("/admin/").content.decode()
    press(staff, shop, "submit")
    assert title in staff.get("/admin/").content.decode()


def test_what_was_rejected_is_on_the_front_page_until_it_is_changed(staff, live):
    title = "App Proxy settings that were rejected"
    saved(staff, live, seo_slug="other")
    press(staff, live, "submit")
    assert title not in staff.get("/admin/").content.decode()
    decide(staff, live, "reject", reason="Too long.")
    assert title in staff.get("/admin/").content.decode()
    saved(staff, live, seo_slug="")
    assert title not in staff.get("/admin/").content.decode()


class TestPreview:
    """A link that is shown once, in the answer itself."""

    @pytest.fixture(autouse=True)
    def secret(self, shop, settings):
        settings.STOREFRONT_SIDE = True
        AccountShopline.objects.update(app_proxy_secret="a-very-secret-word")  # noqa: S106

    def test_as_a_guest_and_as_a_customer(self, staff, shop):
        form = {"_form_submitted": "on", "version": "development"}
        for customer_id in ("", "c-1"):
            answer = staff.post(page(shop, "preview"), {**form, "customer_id": customer_id})
            text = unescape(answer.content.decode())
            assert "https://hemi.test/storefront/m-1~" in text and "/apps/hemiapp_TEST/" in text
            assert "no-store" in answer["Cache-Control"]
            assert not said_to(answer)
        assert "storefront/m-1~" not in text_of(staff, shop)

    def test_the_release_needs_approved_and_enabled_settings(self, staff, shop):
        _, said = press(staff, shop, "preview", version="release")
        assert "Preview the development path." in said[0]
        press(staff, shop, "submit")
        decide(staff, shop, "approve")
        AccountShopline.objects.update(proxy_enabled=True)
        answer = staff.post(page(shop, "preview"), {"_form_submitted": "on", "version": "release"})
        assert "/apps/hemiapp/" in answer.content.decode()

    def test_needs_its_right(self, client, shop):
        client.force_login(person("view", "change", "approve", "revoke"))
        answer = client.post(page(shop, "preview"), {"_form_submitted": "on", "version": "development"})
        assert answer.status_code == 403
        assert "storefront/m-1" not in answer.content.decode()

    def test_a_mail_address_is_no_customer_id(self, staff, shop):
        form = {"_form_submitted": "on", "version": "development", "customer_id": "ann@shopper.example"}
        answer = staff.post(page(shop, "preview"), form)
        assert "Letters, digits" in answer.content.decode() and "storefront/m-1~" not in answer.content.decode()
        assert not LogEntry.objects.exists()

    def test_off_says_why(self, staff, shop, settings):
        settings.STOREFRONT_SIDE = False
        assert "STOREFRONT_SIDE" in press(staff, shop, "preview", version="development")[1][0]
