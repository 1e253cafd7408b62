"""The database emptied after a test that commits: of what is in it, and in hundredths of a second.

Django would make every table anew, with all its indexes, and then write down again which models
and permissions there are: a quarter of a second of a quiet machine, for a few rows in a few tables.
"""

from __future__ import annotations

from functools import cache

from django.apps import apps
from django.db import connection, transaction
from django.test import TransactionTestCase

#: Says which models there are, and what may be done to them: the same for all tests.
_LASTING = frozenset({"django_content_type", "auth_permission"})
_MANY = 1_000
"""Rows that make a table so large that what is left of them is worth removing."""


@cache
def _tables() -> tuple[str, ...]:
    models = apps.get_models(include_auto_created=True)
    names = {model._meta.db_table for model in models if model._meta.can_migrate(connection)}
    return tuple(sorted(names - _LASTING))


def empty(_case: TransactionTestCase) -> None:
    """Delete every row of every model, in any order, and say that the configuration has changed."""
    looks = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})"  # noqa: S608  # names of our tables
        for name in _tables()
    )
    large = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(looks)
        filled = [name for (name,) in cursor.fetchall()]
        # Neither constraints nor triggers: of what they would look after, nothing is left.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608
            if cursor.rowcount > _MANY:
                large.append(name)
        cursor.execute("SET LOCAL session_replication_role = origin")
        # A statement that finds no row is one, too: there is another edition of the configuration.
        cursor.execute("DELETE FROM staff_tier")
    if large:
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM ANALYZE {', '.join(large)}")


TransactionTestCase._fixture_teardown = empty  # type: ignore[attr-defined]
