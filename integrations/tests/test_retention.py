"""What is old goes by night, and what somebody may still need stays."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hemi.lib import thinning
from hemi.lib.thinning import Slice
from hemi.models import ConfigurationChange
from integrations import retention
from integrations.models import AccountEvent, AccountShopify, PrivacyRequest, StaffAlert, WebhookEvent

pytestmark = pytest.mark.django_db(transaction=True)
NEW, OLD, ANCIENT = (timedelta(days=days) for days in (1, 91, 4000))


def event(account, age, status="done", **values):
    number = WebhookEvent.objects.count()
    row = {"webhook_id": f"w-{number}", "topic": "orders/create", "body": b"{}", "received_at": timezone.now() - age}
    return WebhookEvent.objects.create(account=account, status=status, **row, **values)


def left(model=WebhookEvent):
    return set(model.objects.values_list("pk", flat=True))


def test_old_webhooks_go_and_what_waits_stays(account):
    gone = [event(account, OLD), event(account, OLD, "ignored"), event(account, ANCIENT, "failed")]
    kept = [event(account, NEW), event(account, OLD, "new"), event(account, ANCIENT, "new")]
    kept += [event(account, OLD, "failed"), event(account, NEW, "ignored")]
    assert retention.thin(Slice()) == len(gone)
    assert left() == {row.pk for row in kept}
    assert retention.thin(Slice()) == 0


def test_an_order_outlives_its_webhook(account):
    from suppliers.tests import factories  # noqa: PLC0415 - rows of another app

    order = factories.order(account=account, event=event(account, OLD))
    assert retention.thin(Slice()) == 1
    order.refresh_from_db()
    assert order.event is None


def test_webhook_of_a_privacy_request_stays_until_that_is_done(account):
    row = event(account, OLD)
    wish = PrivacyRequest.objects.create(event=row, kind="customers/redact", shop_name="test", due_at=timezone.now())
    assert retention.thin(Slice()) == 0
    PrivacyRequest.objects.update(status="done")
    assert retention.thin(Slice()) == 1
    wish.refresh_from_db()
    assert wish.event is None


def test_alerts_go_once_they_are_over_and_told():
    old = timezone.now() - OLD
    open_one = StaffAlert.objects.create(kind="a", key="1", subject="s", text="t", raised_at=old)
    untold = StaffAlert.objects.create(
        kind="b", key="1", subject="s", text="t", raised_at=old, mailed_at=old, cleared_at=old, over="It is over."
    )
    late = StaffAlert.objects.create(kind="c", key="1", subject="s", text="t", raised_at=old, cleared_at=timezone.now())
    StaffAlert.objects.create(kind="d", key="1", subject="s", text="t", raised_at=old, cleared_at=old)
    assert retention.thin(Slice()) == 1
    assert left(StaffAlert) == {open_one.pk, untold.pk, late.pk}


def test_audit_trail_has_the_longer_time(account):
    user = User.objects.create_user("somebody")
    ConfigurationChange.objects.all().delete()
    for age in (OLD, ANCIENT):
        at = timezone.now() - age
        AccountEvent.objects.create(account=account, kind="k", text="t", at=at)
        ConfigurationChange.objects.create(kind="changed", label="l", object_id="1", subject="s", at=at)
        entry = LogEntry.objects.create(
            user=user, content_type=ContentType.objects.get_for_model(User), object_id="1", action_flag=1
        )
        LogEntry.objects.filter(pk=entry.pk).update(action_time=at)
    assert retention.thin(Slice()) == 3
    for model, moment in ((AccountEvent, "at"), (ConfigurationChange, "at"), (LogEntry, "action_time")):
        assert getattr(model.objects.get(), moment) > timezone.now() - ANCIENT


def test_ended_sessions_go():
    for number, days in enumerate((-1, 1)):
        Session.objects.create(session_key=f"k{number}", expire_date=timezone.now() + timedelta(days=days))
    assert retention.thin(Slice()) == 1
    assert Session.objects.get().session_key == "k1"


def test_only_by_night():
    night = datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert thinning.is_time(night)
    assert not thinning.is_time(night.replace(hour=12))


def test_thousands_go_in_short_transactions_and_a_slice_ends(account, caplog):
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            account=account,
            webhook_id=f"many-{number}",
            topic="orders/create",
            body=b"x" * 5_000,
            status="done",
            received_at=timezone.now() - OLD,
        )
        for number in range(3_000)
    )
    young = event(account, NEW)
    assert retention.thin(Slice(until=0)) == 0
    caplog.set_level("INFO", logger="hemi.retention")
    with CaptureQueriesContext(connection) as queries:
        slice_ = Slice()
        assert retention.thin(slice_) == 3_000
    begins = [query for query in queries.captured_queries if query["sql"].startswith("BEGIN")]
    assert len(begins) > 3_000 / thinning.MOST
    assert left() == {young.pk}
    assert [record.webhooks for record in caplog.records if record.message == "retention.thinned"] == [3_000]


def test_rows_that_are_slow_to_go_go_one_by_one():
    sizes = []

    def act(keys):
        sizes.append(len(keys))
        time.sleep(0.01 * len(keys))  # a large row, a slow disk
        return len(keys)

    slice_ = Slice()
    slice_.take("rows", range(60), act)
    assert sum(sizes) == 60
    assert max(sizes[1:]) * 0.01 < 0.2
    assert sizes[1] < sizes[0]


def test_it_stops_reading_where_the_table_is_young(account):
    assert AccountShopify.objects.count() == 1
    rows = [
        WebhookEvent(account=account, webhook_id=f"w-{number}", topic="t", body=b"", status="done")
        for number in range(3 * thinning.WINDOW)
    ]
    WebhookEvent.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as queries:
        assert list(thinning.keys_before(WebhookEvent.objects.all(), "received_at", timezone.now() - OLD)) == []
    assert len(queries) == 1
