"""List the migrations that wait, and say whether the code that runs now survives them."""

from collections.abc import Iterator

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

_BREAKING = (
    migrations.DeleteModel,
    migrations.RemoveField,
    migrations.RenameModel,
    migrations.RenameField,
    migrations.AlterModelTable,
    migrations.AddConstraint,
    migrations.AlterUniqueTogether,
    migrations.RunSQL,
)


class Command(BaseCommand):
    help = "List the migrations that wait; ends with 1 where the code that runs would not survive one of them."
    requires_system_checks: list[str] = []

    def handle(self, **options: object) -> None:
        executor = MigrationExecutor(connection)
        loader = executor.loader
        plan = [migration for migration, _ in executor.migration_plan(loader.graph.leaf_nodes())]
        for migration in plan:
            self.stdout.write(f"waits: {migration}")
        applied = [node for node in loader.applied_migrations if node in loader.graph.nodes]
        if not applied:  # a new database, with which no code runs
            return
        if found := list(breaking(plan, loader.project_state(applied))):
            raise CommandError("The code that runs now would not survive:\n  " + "\n  ".join(found))


def breaking(plan: list[Migration], state: ProjectState) -> Iterator[str]:
    """Describe what makes code fail that does not know of it, going through `plan` from `state` on."""
    there = set(state.models)
    for migration in plan:
        for operation in migration.operations:
            for part in _parts(operation):
                table = (migration.app_label, _model(part))
                if _breaks(part, table, state) and (table in there or isinstance(part, migrations.RunSQL)):
                    yield f"{migration}: {part.describe()}"
            operation.state_forwards(migration.app_label, state)


def _parts(operation: Operation) -> list[Operation]:
    """Return what an operation does to the database."""
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return [part for each in operation.database_operations for part in _parts(each)]
    return [operation]


def _model(operation: Operation) -> str:
    return str(
        getattr(
            operation, "model_name_lower", getattr(operation, "name_lower", getattr(operation, "old_name_lower", ""))
        )
    )


def _breaks(operation: Operation, table: tuple[str, str], state: ProjectState) -> bool:
    if isinstance(operation, migrations.AddField):
        return not _may_be_left_out(operation.field)
    if isinstance(operation, migrations.AlterField):
        return table in state.models and _narrows(state.models[table].fields[operation.name], operation.field)
    return isinstance(operation, _BREAKING)


def _may_be_left_out(field: models.Field) -> bool:
    # A default that only Python knows is no help to code that does not know the field.
    return bool(field.many_to_many) or field.null or field.db_default is not NOT_PROVIDED


def _narrows(old: models.Field, new: models.Field) -> bool:
    if old.get_internal_type() != new.get_internal_type() or (new.unique and not old.unique):
        return True
    if old.null and not _may_be_left_out(new):
        return True
    return new.max_length is not None and (old.max_length is None or new.max_length < old.max_length)
