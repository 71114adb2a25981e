"""Database rules that Django's models can't say: tables to which rows are only ever added."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class AppendOnly(Operation):
    """Migration operation: UPDATE and DELETE on a table raise, whoever asks.

    On PostgreSQL a BEFORE trigger, on SQLite two. TRUNCATE is left to the table's owner.

    Args:
        table: name of the table.
        mutable: columns that may still change (a foreign key that is set to NULL, say).
        once: column and text; rows are frozen from when the column has that text.
    """

    reversible = True

    def __init__(
        self,
        table: str,
        mutable: tuple[str, ...] = (),
        once: tuple[str, str] | None = None,
    ) -> None:
        self.table = table
        self.mutable = mutable
        self.once = once

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """For Django's migration writer."""
        options = {"mutable": self.mutable, "once": self.once}
        return (self.__class__.__name__, [self.table], options)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The models' state doesn't change."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Create the triggers."""
        for statement in self._create(schema_editor.connection):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the triggers."""
        for name in ("update", "delete"):
            on = f" ON {self.table}" if schema_editor.connection.vendor == "postgresql" else ""
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {self.table}_no_{name}{on}", params=None)

    def describe(self) -> str:
        """One line for `migrate`."""
        return f"Make {self.table} append-only"

    def _create(self, connection: Any) -> list[str]:
        table = self.table
        with connection.cursor() as cursor:
            columns = [
                c.name for c in connection.introspection.get_table_description(cursor, table)
            ]
        frozen = [c for c in columns if c not in self.mutable]
        over = f"OLD.\"{self.once[0]}\" = '{self.once[1]}'" if self.once else "TRUE"
        if connection.vendor == "postgresql":
            changed = " OR ".join(f'NEW."{c}" IS DISTINCT FROM OLD."{c}"' for c in frozen)
            function = (
                "CREATE OR REPLACE FUNCTION twinhealth_append_only() RETURNS trigger AS $$ "
                "BEGIN RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME "
                "USING ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql"
            )
            return [
                function,
                (
                    f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW "
                    f"WHEN ({over} AND ({changed})) EXECUTE FUNCTION twinhealth_append_only()"
                ),
                (
                    f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW "
                    f"WHEN ({over}) EXECUTE FUNCTION twinhealth_append_only()"
                ),
            ]
        changed = " OR ".join(f'NEW."{c}" IS NOT OLD."{c}"' for c in frozen)
        stop = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are only ever added'); END"
        return [
            (
                f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
                f"WHEN {over} AND ({changed}) {stop}"
            ),
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN {over} {stop}",
        ]


class NoLongerAppendOnly(AppendOnly):
    """The opposite of `AppendOnly`, before a migration changes the table that has its triggers.

    Follow it, in the same migration, with `AppendOnly`, which then knows the new columns too.
    """

    database_forwards = AppendOnly.database_backwards
    database_backwards = AppendOnly.database_forwards

    def describe(self) -> str:
        """One line for `migrate`."""
        return f"Let {self.table} be changed by this migration"
