"""Everything an address can lead to, of an open team and of a private one, and who asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from escalation.models import Escalation
from notifications import rendering, webhooks
from notifications.identity import status_token
from notifications.models import OutgoingEmail, Preset, WebhookDelivery
from notifications.webhooks import Wish
from staff import apitokens
from staff.models import Scope, Team, User
from tests.house import House
from tests.mail import mail
from tests.pages.acting import ago, as_, stranger
from tests.portal.doors import link_in, signed_in
from tests.training.films import film
from tickets import followups, portal, triage
from tickets.inbound.ingest import ingest
from tickets.models import Attachment, Contact, FollowUp, InboundEmail, Ticket
from tickets.models.followup import FollowUpKind
from training import attempting, defaults, drafting, versions
from training.course import ESCALATION
from training.models import LessonVideo, Procedure, ProcedureVersion, Requirement

#: Stands in the subject and the text of what only the private team may read.
SECRET = "Zanzibar"
PASSWORD = "correct horse battery"
#: Of nobody: no such row, but an id that fits the column.
NOBODYS = 987_654_321


@dataclass(frozen=True)
class Room:
    """What stands in the addresses of one ticket."""

    ticket: str
    message: int
    accept: int
    attachment: int
    follow_up: int
    escalation: int
    letter: int
    key: str
    token: str
    held: int
    webhook: int
    api_token: int
    #: A message it was told.
    told: int
    procedure: str
    attempt: int
    #: Of the procedure's lesson.
    video: int
    #: That its team knows the procedure.
    requirement: int
    #: Of the configuration.
    person: int
    version: int

    def at(self, path: str) -> str:
        return path.format_map(vars(self))


class Rooms:
    """``own`` is Dana's, of Frontline EMEA; ``private`` is Jürgen's, of a team nobody here is in."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.security = house.team("security", "Secret matters", 2, is_private=True)
        self.rosa = house.person("Rosa Prado", self.security)
        elsewhere = house.team("legal", "Legal matters", 2, is_private=True)
        self.rui = house.person("Rui Costa", elsewhere)
        self.ida = house.person("Ida Falk", house.emea)
        held = ingest(raw=mail("two_from_fields"), source="held", now=ago(minutes=9))
        self.held = held.inbound_id
        self.own = self._room(house.dana, house.anna, house.emea, "Calls fail")
        self.private = self._room(
            house.juergen, self.rosa, self.security, f"{SECRET} leaked", SECRET
        )
        self.nowhere = Room(
            ticket=f"HD-{NOBODYS}",
            message=NOBODYS,
            accept=NOBODYS,
            attachment=NOBODYS,
            follow_up=NOBODYS,
            escalation=NOBODYS,
            letter=NOBODYS,
            key="nobodys-key",
            token="nobodys-token",
            held=NOBODYS,
            webhook=NOBODYS,
            api_token=NOBODYS,
            told=NOBODYS,
            procedure="nobodys-procedure",
            attempt=NOBODYS,
            video=NOBODYS,
            requirement=NOBODYS,
            person=NOBODYS,
            version=NOBODYS,
        )
        # Changing it signs people out, so that it comes first.
        User.objects.update(password=make_password(PASSWORD))
        self.people: Mapping[str, Client] = {
            "visitor": Client(),
            "disabled": as_(_again(self.ida)),
            "contact": signed_in(house.dana),
            "agent": as_(_again(house.anna)),
            "outsider": as_(_again(self.rui)),
            "lead": as_(_again(house.marco)),
            "manager": as_(_again(house.helen)),
            "admin": as_(_again(house.sam)),
            # Who is offered what is escalated, and who answers for them.
            "priya": as_(_again(house.priya)),
            "grace": as_(_again(house.grace)),
        }
        User.objects.filter(pk=self.ida.pk).update(is_active=False)

    @property
    def own_ticket(self) -> Ticket:
        return Ticket.objects.get(pk=Ticket.number_in(self.own.ticket) or 0)

    def _room(
        self, requester: Contact, agent: User, team: Team, subject: str, words: str = "words"
    ) -> Room:
        now = ago(minutes=30)
        outcome = ingest(raw=_mail(requester, subject, words), source="test", now=now)
        message = InboundEmail.objects.get(pk=outcome.inbound_id).message
        assert message is not None, outcome
        ticket = message.ticket
        triage.move(ticket_id=ticket.pk, team_id=team.pk, now=now, by=self.house.sam)
        triage.assign(ticket_id=ticket.pk, assignee_id=agent.pk, now=now, by=agent)
        self.house.reply(ticket, now=now + timedelta(minutes=1))
        unverified = stranger(ticket, f"{words}, says a stranger")
        followups.add(
            ticket_id=ticket.pk,
            kind=FollowUpKind.BY_HAND,
            key=f"HD-{ticket.pk}:test",
            due_at=now + timedelta(hours=1),
            now=now,
            by=agent,
            text=words,
        )
        escalation: Escalation = self.house.escalate(
            ticket, now=now + timedelta(minutes=2), by=agent, ask=words, override_reason="Urgent."
        )
        told = self._told(team)
        letter = OutgoingEmail.objects.filter(about=ticket.about, to_address=requester.email)
        for each in letter:
            assert rendering.render(mail=each).text
        return Room(
            ticket=Ticket.objects.get(pk=ticket.pk).reference,
            message=message.pk,
            accept=unverified.pk,
            attachment=Attachment.objects.filter(message=message).latest("pk").pk,
            follow_up=FollowUp.objects.filter(ticket=ticket).latest("pk").pk,
            escalation=escalation.pk,
            letter=letter.latest("pk").pk,
            key=key_for(requester, timezone.now()),
            token=status_token(ticket.pk),
            held=self.held,
            webhook=told.webhook_id,
            api_token=_api_token(agent),
            told=told.pk,
            procedure=published(self.house.sam),
            attempt=self._attempt(self.house.anna),
            video=LessonVideo.objects.latest("pk").pk,
            requirement=_required(team),
            person=agent.pk,
            version=self.house.policy.versions.latest("pk").pk,
        )

    def _attempt(self, user: User) -> int:
        """The knowledge check that somebody has begun."""
        version = ProcedureVersion.objects.published().get()
        begun = attempting.begin(
            version_id=version.pk, by=user, random=Random(1), now=ago(minutes=5)
        )
        return begun.pk

    def _told(self, team: Team) -> WebhookDelivery:
        """A message for a webhook that hears of this team's tickets alone."""
        webhook = webhooks.make(
            wish=Wish(
                name=f"Program of {team}",
                # Nobody's, but outside; no name has to be looked up.
                url="https://93.184.216.34/hook",
                preset=Preset.STANDARD,
                language="en",
                events=["ticket.*"],
                team=team,
                private_too=False,
            ),
            now=ago(minutes=20),
            by=self.house.sam,
        )
        return webhooks.ping(webhook=webhook, now=ago(minutes=19), by=self.house.sam)


def published(by: User) -> str:
    """The slug of the procedure that an installation comes with, whose lesson in English is a video;
    its second version is a draft."""
    if not ProcedureVersion.objects.exists():
        written = defaults.shipped_texts(now=ago(days=1))
        first = versions.write(texts=written, by=None, now=ago(days=1))
        assert first is not None
        film(first, by, now=ago(days=1))
        first = versions.publish(version_id=first.pk, by=None, now=ago(days=1))
        texts = {
            language: text.replace("\n## Scope", "\nAnd nothing else.\n\n## Scope")
            for language, text in drafting.next_texts(first, today=ago(hours=1).date()).items()
        }
        versions.write(texts=texts, by=None, now=ago(hours=1))
    return ESCALATION


def _again(user: User) -> User:
    return User.objects.get(pk=user.pk)


def key_for(contact: Contact, now: datetime) -> str:
    """The key in a sign-in link nobody has pressed yet."""
    return link_in(portal.link_for(contact=contact, now=now)).split("/")[-2]


def _mail(requester: Contact, subject: str, words: str) -> bytes:
    return f"""From: {requester.email}
To: support@brightquay.example
Subject: {subject}
Message-ID: <{subject.encode().hex()}@customer.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=o

--o
Content-Type: multipart/alternative; boundary=i

--i
Content-Type: text/plain; charset=utf-8

{words}: every call fails since 09:10.
--i
Content-Type: text/html; charset=utf-8

<p style="color:red" onclick="alert(1)">{words}: every call <b>fails</b>.</p>
--i--
--o
Content-Type: text/plain; name="calls.log"
Content-Disposition: attachment; filename="calls.log"

{words} 502
--o--
""".encode()


@contextmanager
def undone(*, read_only: bool = False) -> Iterator[None]:
    """Whatever is done within is undone; with ``read_only`` PostgreSQL refuses every write."""
    block = transaction.atomic()
    # As a test's own block, so that what must be outermost in life may be within it.
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        if read_only:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
        yield
        transaction.set_rollback(True)


def ask(
    client: Client, method: str, path: str, *, headers: Mapping[str, str] | None = None, **sent: Any
) -> Any:
    """One request; the browser keeps no cookie of it."""
    cookies = deepcopy(client.cookies)
    try:
        return getattr(client, method)(path, sent, headers=headers)
    finally:
        client.cookies = cookies


def _required(team: Team) -> int:
    """The shipped procedure, required of a team without anybody being asked."""
    made = Requirement.objects.create(
        procedure=Procedure.objects.get(), team=team, created_at=timezone.now()
    )
    return made.pk


def _api_token(user: User) -> int:
    token, _raw = apitokens.make(
        user=user,
        name="Export",
        scopes=[Scope.TICKETS_READ],
        expires_at=timezone.now() + timedelta(days=1),
        now=timezone.now(),
    )
    return token.pk
