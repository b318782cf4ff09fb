"""The Webhooks tab of an account: what Shopify sends to it."""

from django.utils.html import format_html
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
    fields = ["shown_topic", "state", "received_at", "api_version", "address"]

    @display(description="topic")
    def shown_topic(self, row: WebhookSubscription) -> SafeString:
        return format_html('<span style="overflow-wrap: normal">{}</span>', row.topic.lower().replace("_", " "))

    @display(description="address")
    def address(self, row: WebhookSubscription) -> SafeString:
        return breakable(row.uri)

    @display(description="state")
    def state(self, row: WebhookSubscription) -> SafeString:
        is_skipped = row.note.startswith("Not subscribed")
        missing = badges.badge("Skipped") if is_skipped else badges.badge("Missing", "danger")
        badge = badges.badge("On", "success") if row.is_listed else missing
        return format_html("{}<br>{}", badge, row.note) if row.note else badge
