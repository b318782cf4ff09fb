"""Links from one page of the admin to another, and long words that must fit on a phone."""

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString


def page_of(obj: Model) -> str:
    """Return the address of the object's page."""
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def link_to(obj: Model, text: str = "") -> SafeString:
    """Link to the object's page; only its name where it has none."""
    if not admin.site.is_registered(type(obj)):
        return conditional_escape(text or str(obj))
    return format_html('<a href="{}" class="text-link">{}</a>', page_of(obj), text or str(obj))


def breakable(word: str) -> SafeString:
    """Show a long word, such as a checksum, so that it may break anywhere."""
    return format_html('<span style="overflow-wrap: anywhere">{}</span>', word)
