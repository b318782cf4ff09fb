"""Staff alerts: one row while it lasts, one mail."""

import pytest
from django.db import transaction
from django.utils import timezone

from integrations import alerts
from integrations.models import StaffAlert
from integrations.tests.clock import make_due

pytestmark = pytest.mark.django_db


def raise_one(key=1):
    alerts.raise_alert("install", key, "test\ncould not be connected", "Generate a new link.")


def test_is_mailed_once_while_it_lasts(mailbox):
    for _ in range(3):
        raise_one()
        alerts.send()
    (mail,) = mailbox.wait_for("staff@hemi.test")
    assert (mail.subject, mail.text.strip()) == ("[Hemi] test could not be connected", "Generate a new link.")
    assert len(mailbox.mails) == StaffAlert.objects.count() == 1


def test_comes_again_after_it_was_cleared(mailbox):
    raise_one()
    alerts.send()
    alerts.clear_alert("install", 1)
    raise_one()
    alerts.send()
    assert len(mailbox.wait_for(count=2)) == 2


def test_cleared_before_it_was_mailed_is_not_mailed(mailbox):
    raise_one()
    alerts.clear_alert("install", 1)
    raise_one(2)
    alerts.send()
    assert len(mailbox.wait_for()) == 1


def flap(times):
    for _ in range(times):
        alerts.raise_alert("endpoint_unreachable", 7, "Files do not reach X", "Wait.", over="Files reach X again.")
        alerts.send()
        alerts.clear_alert("endpoint_unreachable", 7)
        alerts.send()


def test_what_comes_and_goes_is_mailed_with_its_end_and_at_most_once_an_interval(mailbox):
    flap(5)
    subjects = [mail.subject for mail in mailbox.wait_for(count=2)]
    assert subjects == ["[Hemi] Files do not reach X", "[Hemi] Over: Files do not reach X"]
    assert mailbox.mails[1].text.strip() == "Files reach X again."
    StaffAlert.objects.exclude(mailed_at=None).update(mailed_at=timezone.now() - alerts.INTERVAL)
    flap(1)
    assert len(mailbox.wait_for(count=4)) == 4


def test_an_end_is_not_told_to_those_who_were_not_told_of_the_beginning(mailbox):
    alerts.raise_alert("endpoint_unreachable", 7, "Files do not reach X", "Wait.", over="Files reach X again.")
    alerts.clear_alert("endpoint_unreachable", 7)
    alerts.send()
    assert not mailbox.mails


def test_what_lasts_longer_than_the_interval_is_mailed_then(mailbox):
    flap(1)
    alerts.raise_alert("endpoint_unreachable", 7, "Files do not reach X", "Wait.", over="Files reach X again.")
    alerts.send()
    assert len(mailbox.wait_for(count=2)) == 2
    make_due(StaffAlert.objects)
    alerts.send()
    assert mailbox.wait_for(count=3)[2].subject == "[Hemi] Files do not reach X"


def test_raising_twice_leaves_the_transaction_usable():
    with transaction.atomic():
        raise_one()
        raise_one()
        raise_one(2)
    assert StaffAlert.objects.count() == 2


def test_refused_mail_waits_and_goes_out_later(mailbox):
    mailbox.refuse_next(451, "Try again later")
    raise_one()
    alerts.send()
    alert = StaffAlert.objects.get()
    assert alert.mailed_at is None
    assert "Try again later" in alert.last_error
    alerts.send()  # not due yet
    assert not mailbox.mails
    make_due(StaffAlert.objects)
    alerts.send()
    assert len(mailbox.wait_for()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("EMAIL_HOST", "mail..hemi.test"), ("DEFAULT_FROM_EMAIL", "Hemi\n <hemi@hemi.test>"), ("EMAIL_PORT", 99_999)],
)
def test_what_cannot_be_written_waits_and_goes_out_later(mailbox, settings, name, value):
    right = getattr(settings, name)
    setattr(settings, name, value)
    raise_one()
    raise_one(2)
    alerts.send()
    assert [alert.attempts for alert in StaffAlert.objects.exclude(last_error="")] == [1, 1]
    setattr(settings, name, right)
    make_due(StaffAlert.objects)
    alerts.send()
    assert len(mailbox.wait_for(count=2)) == 2


@pytest.mark.parametrize("unset", ["IS_MAIL_SET", "STAFF_ALERT_EMAILS"])
def test_waits_where_nothing_is_set_up(mailbox, settings, unset):
    setattr(settings, unset, [])
    raise_one()
    alerts.send()
    assert not mailbox.mails
    assert StaffAlert.objects.get().attempts == 0
