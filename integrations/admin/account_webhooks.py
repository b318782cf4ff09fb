"""The Webhooks tab of an account: what Shopify sends to it."""

from django.utils.safestring import SafeString
from unfold.decorators import display

from hemi.lib import badges
from hemi.lib.links import breakable
from hemi.lib.readonly import ReadOnlyInline
from integrations.models import WebhookSubscription


class SubscriptionInline(ReadOnlyInline):
    """The subscriptions as they were last read back from Shopify."""

    model = WebhookSubscription
    verbose_name_plural = "Webhooks"
    is_part = True
    fields = ["shown_topic", "address", "api_version", "state", "note", "received_at", "checked_at"]

    @display(description="topic")
    def shown_topic(self, row: WebhookSubscription) -> SafeString:
        return breakable(row.topic.lower())

    @display(description="address")
    def address(self, row: WebhookSubscription) -> SafeString:
        return breakable(row.uri)

    @display(description="state")
    def state(self, row: WebhookSubscription) -> SafeString:
        if row.is_listed:
            return badges.badge("On", "success")
        is_skipped = row.note.startswith("Not subscribed")
        return badges.badge("Skipped" if is_skipped else "Missing", "default" if is_skipped else "danger")
