"""What becomes of stored webhooks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hemi.lib import claims
from integrations import inbox
from integrations.models import StaffAlert, WebhookEvent
from integrations.tests.clock import make_due

pytestmark = pytest.mark.django_db
taken = []


def take(event):
    """Take an event as an app does."""
    taken.append((event.webhook_id, event.account.shop_name, bytes(event.body)))


def fail(event):
    """Fail with a person's data in the message."""
    raise ValueError("anna@example.com is odd")


def die(event):
    """Take the worker along, once."""
    if not taken:
        taken.append(event.webhook_id)
        raise SystemExit("killed")
    take(event)


def lose_the_next(event):
    """Take so long that another worker has the next event, and all leases are over."""
    take(event)
    WebhookEvent.objects.filter(status="new").update(lease_until=timezone.now() - timedelta(seconds=1))
    WebhookEvent.objects.filter(webhook_id="2").update(claim_token="another", lease_until=timezone.now() + inbox.LEASE)


def event(account, number=1, **fields):
    return WebhookEvent.objects.create(
        account=account, webhook_id=str(number), topic="orders/create", body=b"{}", **fields
    )


@pytest.fixture(autouse=True)
def handlers(settings):
    taken.clear()
    settings.WEBHOOK_HANDLERS = {"orders/create": [f"{__name__}.take"]}


def test_each_new_event_is_taken_once_in_the_order_of_arrival(account):
    events = [event(account, number) for number in range(45)]
    event(account, 100, status=WebhookEvent.Status.IGNORED)
    inbox.process_events()
    inbox.process_events()
    assert [number for number, *_ in taken] == [row.webhook_id for row in events]
    assert set(WebhookEvent.objects.filter(webhook_id__lt=100).values_list("status", flat=True)) <= {"done", "ignored"}
    assert WebhookEvent.objects.filter(status="done").count() == 45


def test_every_handler_of_a_topic_is_called(account, settings):
    settings.WEBHOOK_HANDLERS = {"orders/create": [f"{__name__}.take"] * 2}
    event(account)
    inbox.process_events()
    assert len(taken) == 2


def test_failure_waits_and_tries_again(account, settings, caplog):
    settings.WEBHOOK_HANDLERS = {"orders/create": [f"{__name__}.fail"]}
    event(account)
    inbox.process_events()
    inbox.process_events()  # not due yet
    row = WebhookEvent.objects.get()
    assert (row.status, row.attempts, row.lease_until) == ("new", 1, None)
    assert row.last_error.startswith("ValueError (test_inbox.py:")
    assert "anna" not in row.last_error
    assert "webhook.failed" in caplog.messages
    assert "anna" not in "".join(str(vars(record)) for record in caplog.records)
    settings.WEBHOOK_HANDLERS = {"orders/create": [f"{__name__}.take"]}
    make_due(WebhookEvent.objects)
    inbox.process_events()
    row.refresh_from_db()
    assert (row.status, row.last_error) == ("done", "")


def test_one_that_fails_does_not_hold_up_the_next(account, settings):
    settings.WEBHOOK_HANDLERS = {"orders/create": [f"{__name__}.take"], "orders/paid": [f"{__name__}.fail"]}
    WebhookEvent.objects.create(account=account, webhook_id="bad", topic="orders/paid", body=b"{}")
    event(account)
    inbox.process_events()
    assert len(taken) == 1


def test_after_ten_attempts_staff_are_told_once(account, settings):
    settings.WEBHOOK_HANDLERS = {"orders/create": [f"{__name__}.fail"]}
    event(account)
    for _ in range(12):
        make_due(WebhookEvent.objects)
        inbox.process_events()
    row = WebhookEvent.objects.get()
    assert (row.status, row.attempts) == ("failed", 10)
    alert = StaffAlert.objects.get()
    assert (alert.kind, alert.key) == ("webhook", str(row.pk))
    assert "anna" not in alert.text


def test_topic_that_nobody_takes_any_more_is_ignored(account, settings):
    event(account)
    settings.WEBHOOK_HANDLERS = {}
    inbox.process_events()
    assert WebhookEvent.objects.get().status == "ignored"


def test_event_that_kills_its_worker_is_given_up(account):
    event(account, attempts=10)  # ten claims, and no outcome of any
    inbox.process_events()
    assert not taken
    assert WebhookEvent.objects.get().status == "failed"
    assert StaffAlert.objects.get().kind == "webhook"


def test_a_killed_worker_leaves_its_batch_for_a_minute_at_most(account, settings):
    settings.WEBHOOK_HANDLERS = {"orders/create": [f"{__name__}.die"]}
    for number in range(5):
        event(account, number)
    with pytest.raises(SystemExit):
        inbox.process_events()
    left = WebhookEvent.objects.filter(status="new", lease_until__gt=timezone.now())
    assert left.count() == 5
    assert left.order_by("-lease_until").first().lease_until <= timezone.now() + timedelta(minutes=1)
    left.update(lease_until=timezone.now() - timedelta(seconds=1))
    inbox.process_events()
    assert [number for number, *_ in taken[1:]] == ["0", "1", "2", "3", "4"]
    assert not WebhookEvent.objects.exclude(status="done").exists()


def test_a_slow_worker_keeps_its_batch_and_leaves_what_another_took(account, settings, monkeypatch):
    monkeypatch.setattr(claims, "RENEWED_AFTER", 0)
    settings.WEBHOOK_HANDLERS = {"orders/create": [f"{__name__}.lose_the_next"]}
    for number in range(1, 5):
        event(account, number)
    inbox.process_events()
    assert [number for number, *_ in taken] == ["1", "3", "4"]
    other = WebhookEvent.objects.get(status="new")
    assert (other.webhook_id, other.claim_token, other.attempts) == ("2", "another", 1)
