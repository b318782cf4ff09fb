"""What staff were told."""

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from hemi.lib import badges
from hemi.lib.readonly import ReadOnly
from integrations.models import StaffAlert


@admin.register(StaffAlert)
class StaffAlertAdmin(ReadOnly, ModelAdmin):
    """Alerts close by themselves when what they are about is mended."""

    list_display = ["subject", "shown_state", "raised_at", "mailed_at", "cleared_at"]
    list_filter = ["kind"]
    list_filter_submit = True
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = ["subject", "text", "shown_state", "raised_at", "mailed_at", "last_error", "cleared_at"]
    readonly_fields = ["last_error"]

    @display(description="state")
    def shown_state(self, alert: StaffAlert) -> SafeString:
        return badges.badge("Open", "warning") if alert.cleared_at is None else badges.badge("Over", "success")
