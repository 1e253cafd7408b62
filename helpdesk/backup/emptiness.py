"""Whether an installation is empty: made, migrated and set up at most, and never used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.db import connection

#: What ``migrate``, ``createcachetable``, ``setup`` and workers that have found nothing to do leave, as
#: a condition on a table's rows.
UNTOUCHED: Mapping[str, str] = {
    "auth_permission": "true",
    "desk_selfcheck": "true",
    "django_cache": "true",
    "django_content_type": "true",
    "django_migrations": "true",
    "django_session": "true",
    "staff_edition": "true",
    "notifications_mailtemplate": "shipped",
    "escalation_policy": "slug = 'default'",
    "escalation_policyversion": "number = 1 AND created_by_id IS NULL",
    "training_procedure": "slug = 'ticket-escalation' AND owner_id IS NULL",
    "training_procedureversion": "number = 1 AND created_by_id IS NULL",
}
#: Made by migrations, not by models.
_BESIDE = ("django_cache", "django_migrations", "staff_edition")
_NAMED = 3

TABLES = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.relname
"""


def in_database() -> Iterator[str]:
    """What the database holds that a restore would have to do away with."""
    ours = {*connection.introspection.django_table_names(), *_BESIDE}
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            if table not in ours:
                yield f"table {table}, which is not the helpdesk's"
                continue
            cursor.execute(f"SELECT count(*) FROM {_foreign(table)}")  # noqa: S608  # a table's name
            [count] = cursor.fetchone() or (0,)
            if count:
                yield f"{table} ({count:,} rows)"


def conditions(tables: Iterator[str]) -> Iterator[str]:
    """A query for each table that finds a row in it that nobody but people makes."""
    return (f"SELECT 1 FROM {_foreign(table)} LIMIT 1" for table in tables)  # noqa: S608  # as above


def in_folder(folder: Path) -> Iterator[str]:
    """What stands where the files go."""
    found: list[str] = []
    for place, _folders, names in os.walk(folder):
        found += [str(Path(place, name).relative_to(folder)) for name in names]
        if len(found) > _NAMED:
            break
    if found:
        more = ", …" if len(found) > _NAMED else ""
        yield f"files in {folder} ({', '.join(sorted(found)[:_NAMED])}{more})"


def _foreign(table: str) -> str:
    quoted = connection.ops.quote_name(table)
    condition = UNTOUCHED.get(table)
    return f"{quoted} WHERE NOT ({condition})" if condition else quoted
