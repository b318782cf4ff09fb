"""Shoppers linked by a file: all of it or nothing, and only within the client."""

from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from integrations.models import AccountShopify, AccountShopline, Client
from integrations.tests.pages import page, said_to
from orders.models import ShopperLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(account):
    """The SHOPLINE store of the client whose Shopify store is `test`."""
    owner = Client.objects.create(name="Tea & Co")
    AccountShopify.objects.update(client=owner)
    return AccountShopline.objects.create(client=owner, merchant_id="m-1", shop_name="Teehaus")


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("ann", password="a long password"))
    return client


def send(browser, shop, content):
    content = content if isinstance(content, bytes) else content.encode()
    url = reverse("admin:orders_shopperlink_import_shoppers")
    return browser.post(url, {"shopline": shop.pk, "file": SimpleUploadedFile("shoppers.csv", content)})


def faults(answer):
    return answer.context["faults"]


def rows():
    fields = ("customer_id", "email", "account__shop_name", "shopify_customer_id", "source")
    return sorted(ShopperLink.objects.values_list(*fields))


def test_lines_become_links(staff, shop):
    content = (
        "\ufeffEmail;Customer_Id;store;shopify_customer_id\r\n"
        " Ann@Shopper.Example ;c-1;Test;7001\r\n"
        "\r\n"
        "bob@shopper.example;c-2;;\r\n"
        "bob@shopper.example;c-2;;\r\n"
    )
    answer = send(staff, shop, content)
    assert said_to(answer) == ["2 new shoppers are linked; 0 were linked already."]
    assert rows() == [
        ("c-1", "ann@shopper.example", "test", 7001, "staff"),
        ("c-2", "bob@shopper.example", None, None, "staff"),
    ]
    event = shop.events.get()
    assert (event.text, event.actor.username) == ("Shoppers were imported: 2 new, 0 known already.", "ann")
    listed = staff.get(answer["Location"]).content.decode()
    assert "ann@shopper.example" in listed


def test_what_is_known_stays_and_is_completed(staff, shop):
    ShopperLink.objects.create(shopline=shop, customer_id="c-1", email="ann@shopper.example", source="order")
    answer = send(
        staff,
        shop,
        "customer_id,email,store,shopify_customer_id\nc-1,ann@shopper.example,test,7001\nc-2,b@x.example,,\n",
    )
    assert said_to(answer) == ["1 new shoppers are linked; 1 were linked already. 1 got their Shopify customer."]
    assert rows()[0] == ("c-1", "ann@shopper.example", "test", 7001, "order")
    send(staff, shop, "customer_id,email,store,shopify_customer_id\nc-1,ann@shopper.example,test,7002\n")
    assert rows()[0][3] == 7001


def test_faults_are_told_by_line_and_nothing_is_stored(staff, shop):
    Client.objects.create(name="Other")
    AccountShopify.objects.create(shop_name="strange", client=Client.objects.get(name="Other"))
    content = (
        "customer_id,email,store,shopify_customer_id\n"
        "c-1,ann@shopper.example,,\n"
        "5.3E+10,ann@shopper.example,,\n"
        "c-3,secret person,,\n"
        "c-4,ann@shopper.example,strange,7001\n"
        "c-5,ann@shopper.example,test,\n"
        "c-6,ann@shopper.example,test,7x\n"
        "c-1,ann@shopper.example,test,7001\n"
    )
    answer = send(staff, shop, content)
    assert answer.status_code == 200
    told = faults(answer)
    assert [line.partition(":")[0] for line in told] == [f"Line {number}" for number in (3, 4, 5, 6, 7, 8)]
    assert "secret person" not in str(told)
    assert "no Account Shopify named “strange”" in told[2]
    assert "Nothing was imported" in answer.content.decode()
    assert not ShopperLink.objects.exists() and not shop.events.exists()


@pytest.mark.parametrize(
    "content, told",
    [
        ("name,email\nx,y@z.example\n", "no customer_id"),
        ("customer_id,email,phone\nx,y@z.example,1\n", "“phone”"),
        ("customer_id,email,email\nx,y@z.example,1\n", "twice"),
        ("customer_id,email\n", "no shoppers below"),
        ("customer_id,email\n\n\n", "no shoppers below"),
        ("customer_id,email\nx,\xe9@z.example".encode("latin-1"), "not in UTF-8"),
        ('customer_id,email\n"x,y@z.example\n', "no CSV"),
        ("customer_id,email\n" + "c-1,a@b.example\n" * 20_001, "more than 20,000"),
        ("customer_id,email\n" + "-\n" * 30, "and 10 more"),
        (b"PK\x03\x04\x00\xff\xfe", "not in UTF-8"),
        ("customer_id\0,email\nx,y@z.example\n", "no customer_id"),
    ],
)
def test_files_that_are_none(staff, shop, content, told):
    answer = send(staff, shop, content)
    assert answer.status_code == 200
    assert told in faults(answer)[-1]
    assert not ShopperLink.objects.exists()


def test_a_form_without_file_or_store_says_so(staff, shop):
    url = reverse("admin:orders_shopperlink_import_shoppers")
    text = unescape(staff.post(url, {"shopline": "", "x": "1"}).content.decode())
    assert "Say whose customers they are." in text and "Choose a file." in text
    assert "The file is empty." in unescape(send(staff, shop, "").content.decode())
    assert "larger than 2 MB" in unescape(send(staff, shop, "x" * 2_000_001).content.decode())
    assert not ShopperLink.objects.exists()


@pytest.mark.parametrize("rights", [["view"], ["add"], ["view", "delete", "change"]])
def test_only_with_the_right(client, shop, rights):
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[f"{right}_shopperlink" for right in rights]))
    client.force_login(user)
    assert send(client, shop, "customer_id,email\nc-1,ann@shopper.example\n").status_code == 403
    assert not ShopperLink.objects.exists()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_shopperlink", "add_shopperlink"]))
    client.force_login(User.objects.get(pk=user.pk))
    assert send(client, shop, "customer_id,email\nc-1,ann@shopper.example\n").status_code == 302
    assert ShopperLink.objects.count() == 1


def test_a_link_is_removed_and_never_edited(staff, shop):
    link = ShopperLink.objects.create(shopline=shop, customer_id="c-1", email="ann@shopper.example", source="staff")
    assert staff.post(page(link), {"email": "eve@shopper.example", "customer_id": "c-2"}).status_code == 403
    assert rows()[0][:2] == ("c-1", "ann@shopper.example")
    assert staff.post(page(link, "delete"), {"post": "yes"}).status_code == 302
    assert not ShopperLink.objects.exists()
