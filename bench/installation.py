"""A small installation on servers of its own, for benchmarks: thrown away when they are done."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installation() -> Iterator[None]:
    """PostgreSQL and Redis as ``make run`` starts them, migrated and set up."""
    folder = Path(tempfile.mkdtemp(prefix="hdb-", dir="/tmp"))
    folder.chmod(0o711)
    from helpdesk.embedded import Hold

    hold = Hold(folder)
    try:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="helpdesk.settings",
            DATABASE_URL=hold.database_url,
            REDIS_URL=hold.redis_url,
            HELPDESK_DATA_DIR=str(folder),
            LOG_LEVEL="ERROR",
        )
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("setup", verbosity=0)
        yield
    finally:
        hold.release()
        shutil.rmtree(folder, ignore_errors=True)


def fill(*, tickets: int) -> None:
    """Open tickets of one customer, each looked at once; all but the first are its copies."""
    from django.db import connection

    from escalation import engine
    from escalation.tasks import database_clock
    from staff.models import Calendar, CalendarVersion, Role, Team, Tier, User
    from tickets import intake
    from tickets.intake import Incoming
    from tickets.models import Contact, Organization, Plan
    from tickets.models.ticket import Channel

    now = database_clock()
    calendar = Calendar.objects.create(slug="office", name="Office")
    week = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    CalendarVersion.objects.create(
        calendar=calendar,
        number=1,
        hours={"zone": "Europe/Berlin", "weekly": week},
        created_at=now,
    )
    for number in (1, 2):
        tier = Tier.objects.create(number=number, name=f"Tier {number}")
        team = Team.objects.create(slug=f"t{number}", name=tier.name, tier=tier, calendar=calendar)
        lead = User.objects.create_user(
            f"lead{number}@desk.example", name=f"Lead {number}", role=Role.LEAD
        )
        team.leads.add(lead)
        team.members.add(lead)
    plan = Plan.objects.create(slug="gold", name="Gold", calendar=calendar)
    customer = Organization.objects.create(name="Norvik", customer_id="N-1", plan=plan)
    dana = Contact.objects.create(
        name="Dana", email="dana@norvik.example", organization=customer, created_at=now
    )
    first = intake.open_ticket(
        contact=dana,
        subject="POST /v2/invoices returns 502",
        incoming=Incoming(text="Every call fails.", channel=Channel.API, message_id=""),
        now=now,
    ).ticket
    engine.turn(clock=database_clock)
    with connection.cursor() as cursor:
        for table, key in (
            ("tickets_ticket", "id"),
            ("tickets_message", "ticket_id"),
            ("escalation_clock", "ticket_id"),
        ):
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
                " AND column_name NOT IN ('id', %s) AND is_generated = 'NEVER'",
                [table, key],
            )
            columns = ", ".join(f'"{name}"' for (name,) in cursor.fetchall())
            cursor.execute(
                f'INSERT INTO {table} ("{key}", {columns})'  # noqa: S608  # names of our own
                f" SELECT %s + copy, {columns} FROM {table}, generate_series(1, %s) AS copy"
                f' WHERE "{key}" = %s',
                [first.pk, tickets - 1, first.pk],
            )
            cursor.execute(f"ANALYZE {table}")
