"""Process webhooks again that failed or were ignored."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.models import WebhookEvent
from integrations.services import webhook_events
from integrations.services.refusals import Refused


class Command(BaseCommand):
    """replay_events --status failed|ignored [--account SHOP] [--topic TOPIC]"""

    help = "Process the webhooks of a state again, as if they had just arrived; what is known is not doubled."

    def add_arguments(self, parser: CommandParser) -> None:
        states = (WebhookEvent.Status.FAILED, WebhookEvent.Status.IGNORED)
        parser.add_argument("--status", required=True, choices=[state.value for state in states])
        parser.add_argument("--account", help="only those of the shop of this name")
        parser.add_argument("--topic", help="only those of this topic, such as orders/create")

    def handle(self, *args: Any, **options: Any) -> None:
        events = WebhookEvent.objects.filter(status=options["status"]).defer("body").order_by("pk")
        if options["account"]:
            events = events.filter(account__shop_name=options["account"])
        if options["topic"]:
            events = events.filter(topic=options["topic"])
        replayed, refused = 0, []
        for event in list(events.select_related("account")):
            try:
                webhook_events.replay(event=event, by=None)
                replayed += 1
            except Refused as reason:
                refused.append(f"{event}: {reason}")
        self.stdout.write(f"{replayed} webhooks are processed again within seconds.")
        if refused:
            raise CommandError("\n".join([f"{len(refused)} were refused:", *refused[:20]]))
