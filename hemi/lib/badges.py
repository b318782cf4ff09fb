"""A state as a coloured word, in lists, pages and tables alike: one colour language for the whole admin."""

from django.db.models import Model
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

_TONES = {
    "success": (
        "sent",
        "taken",
        "accepted",
        "shipped",
        "applied",
        "done",
        "connected",
        "on",
        "routed",
        "live",
        "told",
        "approved",
    ),
    "info": ("ready", "replaced", "waiting", "due", "new", "unpaid", "test", "calling", "submitted"),
    "warning": ("held", "filtered", "uncertain", "unmatched", "partly", "withdrawn", "stopped"),
    "danger": ("open", "blocked", "rejected", "dead", "given_up", "unreadable", "failed", "unrouted"),
}
_TONE_OF = {value: tone for tone, values in _TONES.items() for value in values}


def badge(text: str, tone: str = "default") -> SafeString:
    """Show `text` as a badge; `tone` is success, info, warning, danger or default."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": tone})


def state(obj: Model, field: str = "status") -> SafeString:
    """Show a field with choices as a badge."""
    return badge(getattr(obj, f"get_{field}_display")(), _TONE_OF.get(getattr(obj, field), "default"))
