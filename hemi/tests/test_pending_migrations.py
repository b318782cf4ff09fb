"""Which migrations the code that runs survives while they are made."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, migrations, models
from django.db.migrations.migration import Migration
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ModelState, ProjectState

from hemi.management.commands import pending_migrations


def found(*operations):
    """Return what is found in operations on one table that is there, with a column of each kind."""
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("may", models.CharField(max_length=20, null=True)),
        ("must", models.CharField(max_length=20)),
    ]
    state = ProjectState()
    state.add_model(ModelState("shop", "Order", fields))
    migration = Migration("0002_more", "shop")
    migration.operations = list(operations)
    return list(pending_migrations.breaking([migration], state))


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("Order", "may"),
        migrations.DeleteModel("Order"),
        migrations.RenameModel("Order", "Sale"),
        migrations.RenameField("Order", "may", "can"),
        migrations.AddField("Order", "more", models.IntegerField(default=0)),
        migrations.AlterField("Order", "may", models.CharField(max_length=20, default="")),
        migrations.AlterField("Order", "must", models.CharField(max_length=10)),
        migrations.AlterField("Order", "must", models.CharField(max_length=20, unique=True)),
        migrations.AlterField("Order", "must", models.IntegerField()),
        migrations.AddConstraint("Order", models.UniqueConstraint(fields=["must"], name="once")),
        migrations.RunSQL("SELECT 1"),
        migrations.SeparateDatabaseAndState([migrations.RemoveField("Order", "may")], []),
    ],
)
def test_what_older_code_cannot_work_with_is_named(operation):
    assert len(found(operation)) == 1
    assert "0002_more" in found(operation)[0]


def test_what_older_code_does_not_notice_passes():
    assert not found(
        migrations.AddField("Order", "note", models.TextField(null=True)),
        migrations.AddField("Order", "more", models.IntegerField(default=0, db_default=0)),
        migrations.AlterField("Order", "must", models.CharField(max_length=40, help_text="Longer.")),
        migrations.AddIndex("Order", models.Index(fields=["must"], name="by_must")),
        migrations.CreateModel("Return", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("Return", "reason", models.TextField(default="")),
        migrations.AddConstraint("Return", models.UniqueConstraint(fields=["reason"], name="one_reason")),
    )


@pytest.mark.django_db
def test_nothing_waits_in_a_database_of_now(capsys):
    call_command("pending_migrations")
    assert capsys.readouterr().out == ""


@pytest.mark.django_db
def test_what_waits_is_listed_and_what_breaks_ends_with_an_error(capsys):
    for name in ("0004_shipments", "0005_shoppers"):
        MigrationRecorder(connection).record_unapplied("orders", name)
    with pytest.raises(CommandError, match="would not survive"):
        call_command("pending_migrations")
    assert "waits: orders.0004_shipments" in capsys.readouterr().out
