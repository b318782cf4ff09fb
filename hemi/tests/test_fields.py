"""Encrypted fields: each edge of the library that destroys, hides or shows a secret is closed."""

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection
from django.db.models import F, Value
from django.forms import modelform_factory

from hemi.lib.fields import EncryptedTextField, Secret
from integrations.models import AccountShopify

pytestmark = pytest.mark.django_db
TOKEN = "shpat_secret Größe"


@pytest.fixture
def store():
    return AccountShopify.objects.create(shop_name="test", access_token=TOKEN)


def stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM integrations_accountshopify")
        return cursor.fetchone()[0]


def test_comes_back_as_it_was_and_is_stored_unreadable(store):
    store.refresh_from_db()
    assert store.access_token == TOKEN
    assert stored().startswith("gAAAAA")


def test_empty_is_stored_empty_so_that_sql_can_ask(store):
    assert AccountShopify.objects.exclude(access_token="").count() == 1
    AccountShopify.objects.update(access_token="")
    assert stored() == ""
    assert AccountShopify.objects.filter(access_token="").count() == 1
    assert not AccountShopify.objects.get().is_authorised


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("expression", [F("shop_name"), Value("x")])
def test_expressions_are_refused_and_the_secret_stays(store, expression):
    with pytest.raises(FieldError, match="text only"):
        AccountShopify.objects.update(access_token=expression)
    store.access_token = expression
    with pytest.raises(FieldError, match="text only"):
        store.save()
    store.refresh_from_db()
    assert store.access_token == TOKEN


@pytest.mark.django_db(transaction=True)
def test_bulk_update_is_refused_and_the_secret_stays(store):
    store.access_token = "new"
    with pytest.raises(FieldError, match="text only"):
        AccountShopify.objects.bulk_update([store], ["access_token"])
    store.refresh_from_db()
    assert store.access_token == TOKEN


def test_plain_update_and_bulk_create_encrypt(store):
    AccountShopify.objects.update(access_token="new")
    assert stored().startswith("gAAAAA")
    AccountShopify.objects.all().delete()
    AccountShopify.objects.bulk_create([AccountShopify(shop_name="b", access_token=TOKEN)])
    assert stored().startswith("gAAAAA")
    assert AccountShopify.objects.get().access_token == TOKEN


@pytest.mark.parametrize("lookup", ["contains", "startswith", "in", "gt", "iexact", "regex"])
def test_lookups_are_refused(store, lookup):
    with pytest.raises(FieldError, match="encrypted"):
        AccountShopify.objects.filter(**{f"access_token__{lookup}": TOKEN}).count()


def test_comparison_with_a_text_is_refused(store):
    with pytest.raises(FieldError, match="only be compared with an empty text"):
        AccountShopify.objects.filter(access_token=TOKEN).count()
    with pytest.raises(FieldError, match="only be compared with an empty text"):
        AccountShopify.objects.exclude(access_token=TOKEN).count()


def test_lost_key_raises_and_the_next_save_cannot_encrypt_twice(store):
    foreign = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_accountshopify SET access_token = %s", [foreign])
    with pytest.raises(ImproperlyConfigured, match=r"AccountShopify\.access_token was encrypted with a key"):
        AccountShopify.objects.get()
    with pytest.raises(ImproperlyConfigured):
        list(AccountShopify.objects.values_list("access_token"))
    assert stored() == foreign


def test_pasting_a_stored_value_into_a_form_decrypts_nothing(store):
    cipher = stored()
    form = modelform_factory(AccountShopify, fields=["access_token"])({"access_token": cipher}, instance=store)
    assert form.is_valid()
    form.save()
    assert AccountShopify.objects.get().access_token == cipher  # the pasted text itself, encrypted again
    assert stored() != cipher


def test_repr_is_masked(store):
    store.refresh_from_db()
    for shown in (repr(store.access_token), repr([store.access_token]), repr(AccountShopify.objects.values().get())):
        assert "shpat_" not in shown
    assert repr(Secret("")) == "<Secret empty>"


def test_dumps_hold_no_secret(store):
    for kind in ("json", "xml"):
        text = serializers.serialize(kind, AccountShopify.objects.all())
        assert "shpat_" not in text
        assert "gAAAAA" not in text


def test_none_stays_none():
    field = EncryptedTextField()
    assert field.from_db_value(None) is None
    assert field.get_db_prep_save(None, connection) is None
