"""A webhook is followed through the log by the same words in every app."""

import logging

import pytest

from hemi.lib.logs import ConsoleFormatter
from integrations import inbox
from integrations.models import WebhookEvent
from integrations.tests.webhooks import post
from orders.models import Order
from orders.tests import bodies

pytestmark = pytest.mark.django_db


def test_one_spelling_for_the_account_and_for_the_event(client, account, caplog):
    caplog.set_level(logging.INFO)
    assert post(client, account, bodies.encode(bodies.order())).status_code == 200
    inbox.process_events()
    event, order = WebhookEvent.objects.get(), Order.objects.get()
    said = {record.getMessage(): vars(record) for record in caplog.records}
    for name in ("webhook.accepted", "webhook.processed", "order.received"):
        assert (said[name]["account"], said[name]["webhook_event"]) == (account.pk, event.pk), name
    assert said["order.received"]["order_id"] == order.pk
    text = "\n".join(ConsoleFormatter("%(message)s").format(record) for record in caplog.records)
    assert not any(other in text for other in ("account_id=", "event_id=", "actor_id="))
