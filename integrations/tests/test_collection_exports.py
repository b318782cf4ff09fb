"""Very many collections: a whole file or none, killed workers, memory, and a day later."""

import csv
import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.utils import timezone

from integrations import collection_exports
from integrations.models import CollectionExport
from integrations.services import collections
from integrations.services.refusals import Refused
from integrations.shopify import collection_queries
from integrations.tests.clock import make_due

pytestmark = pytest.mark.django_db
Status = CollectionExport.Status


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    return tmp_path / "exports"


def rows_of(export):
    path = collection_exports.folder() / export.file_name
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def ids_of(export):
    return [int(row["id"]) for row in rows_of(export)]


def shop(shopify, count):
    shopify.buckets.resize("client-1", "test", 20_000, 5000)
    return [row["id"] for row in shopify.add_shop("test", collections=count).collections]


def ask(store):
    return collections.export(account=store, by=None)


class Killed(Exception):
    """The process dies here."""


def kill_after(monkeypatch, pages):
    """Let the process die in the middle of a page: its bytes are written, its cursor is not."""
    original, seen = collection_exports._keep, []

    def dies(export, **values):
        if "cursor" in values:
            seen.append(values)
            if len(seen) == pages:
                raise Killed
        original(export, **values)

    monkeypatch.setattr(collection_exports, "_keep", dies)
    with pytest.raises(Killed):
        collection_exports.export_collections()
    monkeypatch.setattr(collection_exports, "_keep", original)


def test_all_collections_arrive_in_the_form_of_the_immediate_file(shopify, store, folder):
    wanted = shop(shopify, 400)
    export = ask(store)
    assert collection_exports.export_collections() == 1
    export.refresh_from_db()
    assert (export.status, export.rows, export.total) == (Status.DONE, 400, 400)
    assert ids_of(export) == wanted
    assert (folder / export.file_name).read_bytes() == collections.as_csv(store)
    assert [path.name for path in folder.iterdir()] == [export.file_name]
    assert timedelta(hours=23) < export.expires_at - timezone.now() <= timedelta(days=1)


def test_a_list_longer_than_shopify_pages_is_read_in_parts(shopify, store, monkeypatch):
    monkeypatch.setattr("sandbox.shopify.paging.LIST_MAXIMUM", 450)
    monkeypatch.setattr(collection_exports, "RESTART_AFTER", 300)
    wanted, export = shop(shopify, 1000), ask(store)
    collection_exports.export_collections()
    export.refresh_from_db()
    assert ids_of(export) == wanted


@pytest.mark.parametrize("lost", ["handle", "pageInfo { hasNextPage endCursor }"])
def test_an_answer_that_is_not_shopifys_ends_it_with_the_field(shopify, store, folder, monkeypatch, lost):
    document = collection_queries.COLLECTION_PAGE.replace(lost, "", 1)
    monkeypatch.setattr(collection_queries, "COLLECTION_PAGE", document)  # an answer that lacks a field
    export = ask(store)
    collection_exports.export_collections()
    export.refresh_from_db()
    assert export.status == Status.FAILED and lost.split()[0] in export.last_error
    assert not list(folder.iterdir())


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_killed_worker_s_file_is_taken_over(shopify, store, folder, monkeypatch, pages):
    wanted, export = shop(shopify, 400), ask(store)
    kill_after(monkeypatch, pages)
    assert collection_exports.export_collections() == 0  # somebody may still be at it
    CollectionExport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    calls = []
    monkeypatch.setattr(shopify.faults, "take", lambda place, *told: calls.append(place) or "")
    collection_exports.export_collections()
    export.refresh_from_db()
    assert ids_of(export) == wanted
    assert [path.name for path in folder.iterdir()] == [export.file_name]
    assert len(calls) == 1 + 3 - (pages - 1)  # the count, and the pages that were not kept


def test_a_worker_whose_part_is_gone_begins_anew(shopify, store, folder, monkeypatch):
    wanted, export = shop(shopify, 400), ask(store)
    kill_after(monkeypatch, 3)
    for path in folder.iterdir():
        path.unlink()
    CollectionExport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    collection_exports.export_collections()
    export.refresh_from_db()
    assert ids_of(export) == wanted


def test_a_worker_that_was_thought_dead_changes_nothing(shopify, store, monkeypatch):
    wanted, export = shop(shopify, 400), ask(store)
    original, seen = collection_exports._keep, []

    def slow(mine, **values):
        if "cursor" in values and not seen:
            seen.append(1)
            CollectionExport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            collection_exports.export_collections()  # another worker, while this one sleeps
        original(mine, **values)

    monkeypatch.setattr(collection_exports, "_keep", slow)
    collection_exports.export_collections()
    export.refresh_from_db()
    assert (export.status, ids_of(export)) == (Status.DONE, wanted)


def test_slices_give_others_their_turn(shopify, store, monkeypatch):
    monkeypatch.setattr(collection_exports, "SLICE_SECONDS", 0)
    wanted, export = shop(shopify, 400), ask(store)
    assert collection_exports.export_collections() == 3
    export.refresh_from_db()
    assert ids_of(export) == wanted


def test_a_store_in_trouble_is_asked_again_and_then_given_up(shopify, store, folder):
    shop(shopify, 400)
    export = ask(store)
    shopify.add_fault("500", count=999)
    for _ in range(collection_exports.TRIES):
        make_due(CollectionExport.objects.all())
        collection_exports.export_collections()
    export.refresh_from_db()
    assert (export.status, export.file_name, list(folder.iterdir())) == (Status.FAILED, "", [])
    assert "Shopify answered 500" in export.last_error


def test_a_refused_token_is_an_error_at_once_and_no_file(shopify, store, folder):
    export = ask(store)
    shopify.add_fault("401", count=9)
    collection_exports.export_collections()
    export.refresh_from_db()
    assert (export.status, list(folder.iterdir())) == (Status.FAILED, [])


def test_only_one_at_a_time(shopify, store):
    ask(store)
    with pytest.raises(Refused, match="made already"):
        ask(store)
    assert CollectionExport.objects.count() == 1


def test_after_its_day_the_file_is_deleted(shopify, store, folder):
    export = ask(store)
    collection_exports.export_collections()
    collection_exports.expire()
    assert len(list(folder.iterdir())) == 1
    CollectionExport.objects.update(expires_at=timezone.now())
    collection_exports.expire()
    export.refresh_from_db()
    assert (export.status, list(folder.iterdir())) == (Status.EXPIRED, [])


CHILD = """
import re, django
django.setup()
from integrations import collection_exports, connections
from integrations.models import AccountShopify, CollectionExport
from integrations.shopify import collection_queries

def kilobytes(name):  # of this process alone: what getrusage tells begins with the memory of the parent
    return int(re.search(name + r":\\s+([0-9]+) kB", open("/proc/self/status").read()).group(1))

with connections.client_for(AccountShopify.objects.get()) as client:  # all modules are in, the first call is made
    client.execute(collection_queries.COLLECTION_PAGE)
before = kilobytes("VmRSS")
while CollectionExport.objects.filter(status="waiting").exists():
    collection_exports.export_collections()
print(kilobytes("VmHWM") - before)
"""


def database_url():
    """Return the test database as a child process is told of it."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    return f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"


@pytest.mark.django_db(transaction=True)
def test_25000_collections_arrive_within_30_megabytes(shopify, store, settings, tmp_path):
    """The peak of a child's memory. The bucket is small, so that Shopify throttles, and fills fast."""
    wanted, export = shop(shopify, 25_000), ask(store)
    shopify.buckets.resize("client-1", "test", 1000, 4000)
    shopify.add_fault("throttled", count=3)  # however slow this machine is
    world = {"DJANGO_SETTINGS_MODULE": "hemi.settings", "DATABASE_URL": database_url(), "HEMI_VAR": str(tmp_path)}
    environment = {**os.environ, **world, "SHOPIFY_SHOP_URL": settings.SHOPIFY_SHOP_URL}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    export.refresh_from_db()
    assert (export.status, ids_of(export) == wanted) == (Status.DONE, True)
    assert 0 <= int(done.stdout.split()[-1]) < 30 * 1024
    assert set(re.findall(r"status=(\d+)", done.stderr)) == {"200"}
    assert done.stderr.count("shopify.waits") >= 3


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def buttons(store):
    base = f"/admin/integrations/accountshopify/{store.pk}"
    return f"{base}/get_collections/", f"{base}/make_collections_file/"


def test_small_stores_are_answered_at_once_and_large_ones_shown_the_other_button(shopify, store, boss):
    get, _ = buttons(store)
    shop(shopify, 40)
    assert boss.get(get).content == collections.as_csv(store)
    shop(shopify, collections.AT_ONCE + 1)
    answer = boss.get(get, follow=True)
    assert "1,001 collections, too many to wait for" in answer.content.decode()
    assert not CollectionExport.objects.exists()


def test_the_page_shows_the_progress_and_then_the_file(shopify, store, boss):
    shop(shopify, 400)
    _, make = buttons(store)
    page = boss.post(make, {"_form_submitted": "on"}).url
    export = CollectionExport.objects.get()
    shown = boss.get(page).content.decode()
    assert 'http-equiv="refresh"' in shown and "<progress" in shown
    download = page.replace("/change/", "/download/")
    assert "still being made" in boss.get(download, follow=True).content.decode()
    collection_exports.export_collections()
    assert 'http-equiv="refresh"' not in boss.get(page).content.decode()
    answer = boss.get(download)
    assert b"".join(answer.streaming_content) == collections.as_csv(store)
    assert answer["Content-Disposition"] == 'attachment; filename="collections-test.csv"'
    CollectionExport.objects.update(expires_at=timezone.now())
    collection_exports.expire()
    assert "kept for a day" in boss.get(download, follow=True).content.decode()
    export.refresh_from_db()
    assert export.made_by.username == "boss"


def test_only_who_may_export_gets_the_file(shopify, store, client):
    export = ask(store)
    collection_exports.export_collections()
    viewer = User.objects.create_user("viewer", is_staff=True)
    wanted = ("view_accountshopify", "view_collectionexport")
    viewer.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client.force_login(viewer)
    base = f"/admin/integrations/collectionexport/{export.pk}"
    assert client.get(f"{base}/change/").status_code == 200
    assert client.get(f"{base}/download/").status_code == 403
    assert client.post(buttons(store)[1], {"_form_submitted": "on"}).status_code == 403
