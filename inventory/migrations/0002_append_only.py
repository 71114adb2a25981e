"""Movements and steps are only ever added; the database itself keeps each part's stock."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from twinhealth.db import AppendOnly

_ADD = "UPDATE inventory_part SET stock = stock + NEW.amount WHERE id = NEW.part_id;"


def keep_stock(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """A movement changes its part's stock in the statement that stores it."""
    if editor.connection.vendor == "postgresql":
        editor.execute(
            "CREATE FUNCTION inventory_keep_stock() RETURNS trigger AS $$ "
            f"BEGIN {_ADD} RETURN NULL; END $$ LANGUAGE plpgsql",
            params=None,
        )
        editor.execute(
            "CREATE TRIGGER inventory_keep_stock AFTER INSERT ON inventory_stockmovement "
            "FOR EACH ROW EXECUTE FUNCTION inventory_keep_stock()",
            params=None,
        )
    else:
        editor.execute(
            "CREATE TRIGGER inventory_keep_stock AFTER INSERT ON inventory_stockmovement "
            f"BEGIN {_ADD} END",
            params=None,
        )


def leave_stock(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """Undo `keep_stock`."""
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP TRIGGER inventory_keep_stock ON inventory_stockmovement", params=None)
        editor.execute("DROP FUNCTION inventory_keep_stock()", params=None)
    else:
        editor.execute("DROP TRIGGER inventory_keep_stock", params=None)


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]

    operations = [
        AppendOnly("inventory_stockmovement", mutable=("by_id",)),
        AppendOnly("inventory_recallstep"),
        migrations.RunPython(keep_stock, leave_stock),
    ]
