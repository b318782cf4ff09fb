"""Set aside what needs no shipping by a rule that staff can see and change."""

from django.db import migrations


def add_rule(apps, schema_editor):
    apps.get_model("suppliers", "RoutingRule").objects.create(priority=10, shipping="no")


class Migration(migrations.Migration):
    dependencies = [("suppliers", "0001_initial")]
    operations = [migrations.RunPython(add_rule, migrations.RunPython.noop)]
