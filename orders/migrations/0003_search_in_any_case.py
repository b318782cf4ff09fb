"""Mail addresses and SKUs are found whatever their case, by an index on the lower-cased column."""

from django.db import migrations, models
from django.db.models.functions import Lower


def _index(model, column, name):
    def make(apps, schema_editor):
        # A search by LIKE needs the operators for it, which Django has no word for without its PostgreSQL app.
        operators = " text_pattern_ops" if schema_editor.connection.vendor == "postgresql" else ""
        table = apps.get_model("orders", model)._meta.db_table
        schema_editor.execute(f'CREATE INDEX "{name}" ON "{table}" (lower("{column}"){operators})')

    def drop(apps, schema_editor):
        schema_editor.execute(f'DROP INDEX "{name}"')

    return migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunPython(make, drop)],
        state_operations=[migrations.AddIndex(model, models.Index(Lower(column), name=name))],
    )


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_completeness_and_redaction")]

    operations = [
        migrations.AlterField("order", "email", models.CharField("email", max_length=320, blank=True, default="")),
        migrations.AlterField("orderline", "sku", models.CharField("SKU", max_length=255, blank=True, default="")),
        _index("order", "email", "order_email_in_any_case"),
        _index("orderline", "sku", "line_sku_in_any_case"),
    ]
