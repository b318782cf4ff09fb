"""The command that processes webhooks again."""

import io

import pytest
from django.core.management import CommandError, call_command

from integrations.models import WebhookEvent

pytestmark = pytest.mark.django_db
Status = WebhookEvent.Status


@pytest.fixture
def events(account):
    return {
        (status, topic): WebhookEvent.objects.create(
            account=account, webhook_id=f"{status}-{topic}", topic=topic, body=b"{}", status=status, attempts=10
        )
        for status in (Status.FAILED, Status.IGNORED, Status.DONE)
        for topic in ("orders/create", "orders/updated", "carts/create")
    }


def run(*words):
    out = io.StringIO()
    call_command("replay_events", *words, stdout=out)
    return out.getvalue()


def again():
    rows = WebhookEvent.objects.filter(status=Status.NEW, attempts=0)
    return set(rows.values_list("webhook_id", flat=True))


def test_one_topic_of_one_state_of_one_shop(events):
    said = run("--status", "failed", "--topic", "orders/create", "--account", "test")
    assert (said, again()) == ("1 webhooks are processed again within seconds.\n", {"failed-orders/create"})
    run("--status", "ignored", "--topic", "orders/create", "--account", "another")
    assert len(again()) == 1


def test_what_nothing_takes_is_named_and_left_alone(events):
    with pytest.raises(CommandError, match=r"1 were refused:\ncarts/create failed-carts/create: Nothing in Hemi takes"):
        run("--status", "failed")
    assert again() == {"failed-orders/create", "failed-orders/updated"}


def test_what_was_processed_is_not_processed_again(events):
    with pytest.raises(CommandError, match="invalid choice"):
        run("--status", "done")
    assert again() == set()
