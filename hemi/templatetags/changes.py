"""What changed on an object, for its history page."""

from django import template
from django.db.models import Model, QuerySet

from hemi.lib import changes

SHOWN = 100
register = template.Library()


@register.simple_tag
def changes_of(obj: Model) -> QuerySet[changes.ConfigurationChange]:
    """Return the newest changes of an object and its parts."""
    return changes.of(obj._meta.label_lower, obj.pk)[:SHOWN]
