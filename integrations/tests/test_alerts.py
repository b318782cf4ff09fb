"""Staff alerts: one row while it lasts, one mail."""

import pytest
from django.db import transaction

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
