"""The scene: who can appear, when it plays, and what happens on any ticket.

Each act is a station, called at the moment of the play.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from string import Template
from zoneinfo import ZoneInfo

from django.db import connection

from escalation import asking, endings
from helpdesk.demo.calendars import hours_of
from helpdesk.demo.conversations import SAID, SUBJECTS
from staff.businesstime import OpenHours, compiled
from staff.models import Team, User
from tickets import conversation, followups, intake, snoozing, triage
from tickets.attachments import IncomingFile
from tickets.intake import Incoming
from tickets.models import Category, Contact, Ticket
from tickets.models.followup import FollowUpKind
from tickets.models.ticket import Channel, SenderVerdict, Status


@dataclass(slots=True)
class Scene:
    """Everybody who can appear, and the moment at which they act.

    ``curtain`` is when the demo begins for those who watch; all stories lie before it.
    Tickets are named by number, people and teams by key; what is said, by cue.
    """

    curtain: datetime
    at: datetime
    users: Mapping[str, User]
    teams: Mapping[str, Team]
    contacts: Mapping[str, Contact]
    categories: Mapping[str, Category]

    # Moments

    def ago(self, **length: float) -> datetime:
        """So long before the curtain, as time passes on the wall."""
        return self.curtain - timedelta(**length)

    def office(self) -> OpenHours:
        """The hours of those in Berlin, by which what is not urgent happened."""
        return _office(self.curtain.year)

    def working_hours_ago(self, hours: float) -> datetime:
        """So many office hours before the curtain: always while somebody is there."""
        return self.office().add(self.curtain, -timedelta(hours=hours))

    def in_working_hours(self, hours: float) -> datetime:
        """So many office hours after the curtain, on a full quarter of an hour."""
        return on_the(15, self.office().add(self.curtain, timedelta(hours=hours)))

    # Customers

    def opens(
        self,
        number: int,
        contact: str,
        *,
        files: tuple[IncomingFile, ...] = (),
        **moments: str,
    ) -> None:
        """A customer's mail opens the ticket of this number."""
        _count_on_from(number)
        who = self.contacts[contact]
        message = intake.open_ticket(
            contact=who,
            subject=SUBJECTS[number],
            incoming=_mail(number, "customer", who, moments, files),
            now=self.at,
        )
        assert message.ticket_id == number, "the sequence gives the number it was set to"

    def writes(self, number: int, cue: str, **moments: str) -> None:
        """The ticket's requester answers by mail."""
        who = Ticket.objects.select_related("requester").get(pk=number).requester
        intake.append_message(
            ticket_id=number,
            contact=who,
            incoming=_mail(number, cue, who, moments),
            now=self.at,
        )

    # The team the ticket is with

    def move(self, number: int, team: str, by: str) -> None:
        triage.move(ticket_id=number, team_id=self.teams[team].pk, now=self.at, by=self.users[by])

    def assess(self, number: int, by: str, *, impact: int, urgency: int) -> None:
        """Assess it; category and complexity stay as intake found them."""
        ticket = Ticket.objects.get(pk=number)
        triage.assess(
            ticket_id=number,
            impact=impact,
            urgency=urgency,
            complexity=ticket.complexity,
            category_id=ticket.category_id,
            now=self.at,
            by=self.users[by],
        )

    def assign(self, number: int, assignee: str, by: str) -> None:
        triage.assign(
            ticket_id=number,
            assignee_id=self.users[assignee].pk,
            now=self.at,
            by=self.users[by],
        )

    def reply(
        self, number: int, by: str, cue: str = "reply", *, status: Status = Status.OPEN
    ) -> None:
        conversation.reply(
            ticket_id=number,
            text=said(number, cue),
            status=status,
            now=self.at,
            by=self.users[by],
        )

    def note(self, number: int, by: str, cue: str = "note") -> None:
        conversation.note(ticket_id=number, text=said(number, cue), now=self.at, by=self.users[by])

    def ask(self, number: int, by: str, *keys: str) -> None:
        asking.ask(ticket_id=number, keys=keys, now=self.at, by=self.users[by])

    def put_on_hold(self, number: int, by: str) -> None:
        triage.set_status(ticket_id=number, status=Status.ON_HOLD, now=self.at, by=self.users[by])

    def remember(self, number: int, by: str, cue: str, *, due: datetime) -> None:
        """A follow-up by hand."""
        followups.add(
            ticket_id=number,
            kind=FollowUpKind.BY_HAND,
            key=f"demo:{number}:{cue}",
            due_at=due,
            text=said(number, cue),
            now=self.at,
            by=self.users[by],
        )

    def snooze(self, number: int, by: str, cue: str, *, until: datetime) -> None:
        snoozing.snooze(
            ticket_id=number,
            until=until,
            reason=said(number, cue),
            now=self.at,
            by=self.users[by],
        )

    # How it ends

    def resolve(self, number: int, by: str, cue: str = "outcome") -> None:
        endings.resolve(
            ticket_id=number,
            outcome=said(number, cue),
            cause=said(number, "cause"),
            now=self.at,
            by=self.users[by],
        )

    def close(self, number: int, by: str) -> None:
        endings.close(ticket_id=number, now=self.at, by=self.users[by])


def said(number: int, cue: str, **moments: str) -> str:
    """The words of a cue, as one writes them in a mail: paragraphs, not broken lines."""
    text = Template(SAID[number][cue]).substitute(moments) if moments else SAID[number][cue]
    return _unwrapped(text).strip()


def on_the(minutes: int, moment: datetime) -> datetime:
    """The next full five minutes, or quarter of an hour: a time that people would say."""
    past = timedelta(
        minutes=moment.minute % minutes, seconds=moment.second, microseconds=moment.microsecond
    )
    return moment if not past else moment - past + timedelta(minutes=minutes)


def clock_in(zone: str, moment: datetime) -> str:
    """A time of day as somebody there reads it."""
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def stamp(moment: datetime) -> str:
    """A moment as logs write it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@cache
def _office(year: int) -> OpenHours:
    return compiled(hours_of("berlin", year=year))


def _unwrapped(text: str) -> str:
    paragraphs = []
    for paragraph in text.split("\n\n"):
        lines = paragraph.split("\n")
        prose = len(lines) > 1 and all(len(line) > 60 for line in lines[:-1])
        indented = any(line.startswith(" ") for line in lines)
        paragraphs.append(" ".join(lines) if prose and not indented else paragraph)
    return "\n\n".join(paragraphs)


def _mail(
    number: int,
    cue: str,
    who: Contact,
    moments: Mapping[str, str],
    files: tuple[IncomingFile, ...] = (),
) -> Incoming:
    """A customer's mail, whose mail server vouches for them."""
    domain = who.email.partition("@")[2]
    return Incoming(
        text=said(number, cue, **moments),
        channel=Channel.MAIL,
        attachments=files,
        message_id=f"<{number}.{cue}@mail.{domain}>",
        sender_verdict=SenderVerdict.PASS,
    )


def _count_on_from(number: int) -> None:
    """Let the next ticket have this number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)",
            [Ticket._meta.db_table, number],
        )


def next_number(number: int) -> None:
    """Let what comes after the demo count on from here."""
    _count_on_from(number)
