"""The database itself: what keeps the promises is in place and in force."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext_lazy as _
from psycopg2 import sql

from desk.selfcheck.checks import Check, Look, Noun, Row, Severity, query

APPS = ("staff", "notifications", "training", "tickets", "escalation", "desk")

SEARCH = {
    "tickets_ticket": ("search_made", "search_changed"),
    "tickets_message": ("search_made", "search_changed", "search_gone"),
    "tickets_detail": ("search_made", "search_changed", "search_gone"),
    "tickets_attachment": ("search_made", "search_changed", "search_gone"),
    "tickets_contact": ("search_changed",),
}
EDITION = (
    "escalation_policy",
    "escalation_policyversion",
    "staff_absence",
    "staff_calendar",
    "staff_calendarversion",
    "staff_team",
    "staff_team_leads",
    "staff_team_members",
    "staff_tier",
    "staff_user",
    "tickets_category",
    "tickets_categoryteam",
    "tickets_plan",
    "tickets_requireddetail",
    "training_procedureversion",
)
#: What was published or answered is never changed.
STAYS = ("training_answer", "training_lessonvideo", "training_procedureversion")
TRIGGERS = frozenset(
    [(table, name) for table, names in SEARCH.items() for name in names]
    + [(table, "edition") for table in EDITION]
    + [(table, "stays") for table in STAYS]
)
"""Those that migrations make, by table; a test finds what is missing here."""

FREE = 10_000
"""How many of the next numbers of a table have to be free: some tickets have kept older ones."""

_ENABLED = """
    SELECT tgrelid::regclass::text, tgname FROM pg_trigger
    WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')
"""
_NAMES = """
    SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
    UNION SELECT relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
    WHERE relnamespace = current_schema()::regnamespace AND i.indisvalid AND i.indisready
"""
_COUNTING = """
    SELECT table_name, pg_get_serial_sequence(quote_ident(table_name), 'id')
    FROM information_schema.columns WHERE table_schema = current_schema()
        AND column_name = 'id' AND is_identity = 'YES' ORDER BY table_name
"""
_REFERENCES = """
    SELECT c.conname, c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, f.attname
    FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace
        AND cardinality(c.conkey) = 1 ORDER BY c.conname
"""


def _triggers(_look: Look) -> Iterator[Row]:
    with connection.cursor() as cursor:
        cursor.execute(_ENABLED)
        enabled = set(cursor.fetchall())
    for table, name in sorted(TRIGGERS - enabled):
        yield Row(f"{name} on {table}")


def _constraints(_look: Look) -> Iterator[Row]:
    """Constraints and indexes of the models that the database has not, or not in force."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES)
        there = {name for (name,) in cursor.fetchall()}
        tables = set(connection.introspection.table_names(cursor))
        for model in (m for label in APPS for m in apps.get_app_config(label).get_models()):
            table = model._meta.db_table
            if table not in tables:
                yield Row(table)
                continue
            named = [*model._meta.constraints, *model._meta.indexes]
            for name in sorted(each.name for each in named if each.name not in there):
                yield Row(f"{name} on {table}")
            found = connection.introspection.get_constraints(cursor, table).values()
            unique = {tuple(each["columns"]) for each in found if each["unique"]}
            foreign = {tuple(each["columns"]) for each in found if each["foreign_key"]}
            for field in model._meta.local_concrete_fields:
                if field.unique and (field.column,) not in unique:
                    yield Row(f"unique {field.column} on {table}")
                is_reference = isinstance(field, models.ForeignKey) and getattr(
                    field, "db_constraint", True
                )
                if is_reference and (field.column,) not in foreign:
                    yield Row(f"foreign key {field.column} on {table}")


def _sequences(_look: Look) -> Iterator[Row]:
    """Tables whose next numbers are taken already."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTING)
        for table, sequence in cursor.fetchall():
            cursor.execute(
                sql.SQL(
                    "SELECT EXISTS (SELECT 1 FROM {table}, (SELECT last_value + is_called::int AS next"
                    " FROM {sequence}) AS counter"
                    " WHERE id >= counter.next AND id < counter.next + %s)"
                ).format(
                    table=sql.Identifier(table), sequence=sql.Identifier(*sequence.split("."))
                ),
                [FREE],
            )
            [taken] = cursor.fetchone()
            if taken:
                yield Row(table)


def _references(_look: Look) -> Iterator[Row]:
    """Foreign keys with rows that lead nowhere: a constraint that was off when they came."""
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES)
        for name, table, column, target, key in cursor.fetchall():
            cursor.execute(
                sql.SQL(
                    "SELECT EXISTS (SELECT 1 FROM {table} t WHERE t.{column} IS NOT NULL"
                    " AND NOT EXISTS (SELECT 1 FROM {target} o WHERE o.{key} = t.{column}))"
                ).format(
                    table=sql.Identifier(table),
                    column=sql.Identifier(column),
                    target=sql.Identifier(target),
                    key=sql.Identifier(key),
                )
            )
            [dangling] = cursor.fetchone()
            if dangling:
                yield Row(f"{name} on {table}")


def unapplied() -> Iterator[str]:
    """The migrations that the database has not, in their order, those between others too."""
    executor = MigrationExecutor(connection)
    # Of all there are: what leads to a newest one that is applied would be passed over.
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    for migration, _backwards in plan:
        if (migration.app_label, migration.name) not in executor.loader.applied_migrations:
            yield f"{migration.app_label}.{migration.name}"


def _migrations(_look: Look) -> Iterator[Row]:
    return map(Row, unapplied())


CHECKS = (
    Check(
        name="database-constraints",
        promise=_(
            "The constraints that keep two from doing the same at once are there, and in force."
        ),
        counts=_(
            "Constraints, unique keys, foreign keys and indexes of ours that are missing or invalid."
        ),
        severity=Severity.NOW,
        noun=Noun.DATABASE,
        find=_constraints,
    ),
    Check(
        name="database-validated",
        promise=_("Every constraint holds for the rows that were there before it, too."),
        counts=_("Constraints that were never validated."),
        severity=Severity.TODAY,
        noun=Noun.DATABASE,
        find=query(
            "SELECT conname || ' on ' || conrelid::regclass, NULL::bigint FROM pg_constraint"
            " WHERE NOT convalidated AND connamespace = current_schema()::regnamespace"
        ),
    ),
    Check(
        name="database-references",
        promise=_("Nothing refers to what is not there."),
        counts=_("Foreign keys with rows that lead nowhere."),
        severity=Severity.NOW,
        noun=Noun.DATABASE,
        find=_references,
        only_deep=True,
    ),
    Check(
        name="database-triggers",
        promise=_(
            "What the database does by itself, for search and configuration, is switched on."
        ),
        counts=_("Triggers that are missing or switched off."),
        severity=Severity.NOW,
        noun=Noun.DATABASE,
        find=_triggers,
    ),
    Check(
        name="database-numbers",
        promise=_("What is made next gets a number that nothing has yet."),
        counts=_("Tables whose next numbers are taken."),
        severity=Severity.NOW,
        noun=Noun.DATABASE,
        find=_sequences,
    ),
    Check(
        name="database-migrations",
        promise=_("The database is as this version of the program expects it."),
        counts=_("Migrations that were not applied."),
        severity=Severity.NOW,
        noun=Noun.DATABASE,
        find=_migrations,
    ),
    Check(
        name="configuration-edition",
        promise=_("No process works by a configuration that has been changed since."),
        counts=_("Whether the row is missing by which they notice a change."),
        severity=Severity.NOW,
        noun=Noun.DATABASE,
        find=query(
            "SELECT 'staff_edition', NULL::bigint WHERE (SELECT count(*) FROM staff_edition) <> 1"
        ),
    ),
)
