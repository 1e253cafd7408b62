"""A small helpdesk for tests of the engine and of whole stations: a named cast, and its clock.

Everything on a ticket happens through the stations, at a moment the test names.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
import yaml

from escalation import lifecycle, review
from escalation.defaults import default_body
from escalation.models import Clock, Escalation, Handoff, Policy, PolicyVersion, Promise, Step
from escalation.models.escalation import Kind, Nature, Trigger
from escalation.opening import Request
from escalation.policyfile import parse_policy
from notifications import rendering
from notifications.models import Notification, OutgoingEmail
from notifications.rendering import Rendered
from notifications.templates import load_defaults as load_texts
from staff.models import Absence, Calendar, CalendarVersion, Role, Team, Tier, User
from tickets import conversation, intake, triage
from tickets.intake import Incoming
from tickets.models import (
    Category,
    CategoryTeam,
    Contact,
    Message,
    Organization,
    OrganizationDomain,
    Plan,
    RequiredDetail,
    Ticket,
)
from tickets.models.ticket import Channel

#: A Tuesday, in the middle of everybody's working day.
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ALWAYS = {
    "zone": "UTC",
    "weekly": {
        day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    },
}
OFFICE = {
    "zone": "Europe/Berlin",
    "weekly": {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}


def after(**length: float) -> datetime:
    """A moment so long after the start."""
    return START + timedelta(**length)


#: Read once: its file takes as long as half the cast.
_shipped = cache(default_body)


def _person(name: str, **fields: Any) -> User:
    """Somebody who works here and cannot sign in, not saved yet."""
    user = User(email=f"{name.split()[0].lower()}@brightquay.example", name=name, **fields)
    user.set_unusable_password()
    return user


class House:
    """Anna and Ben in EMEA (Tier 1, lead Marco), Priya and Mei in Integrations (Tier 2, lead
    Grace, Priya on call, backed up by Platform), Jonas in Platform (Tier 3, lead Lena); Helen
    is manager, Sam admin. Dana of Norvik (Gold), Jürgen of Steinbach (Silver, German).
    """

    def __init__(self) -> None:
        # All of a kind at once: half of all tests begin with this.
        self.always = self.calendar("always", ALWAYS)
        self.office = self.calendar("office", OFFICE)
        self.tiers = Tier.objects.bulk_create(Tier(number=n, name=f"Tier {n}") for n in (1, 2, 3))
        (
            self.helen,
            self.sam,
            self.anna,
            self.ben,
            self.marco,
            self.priya,
            self.mei,
            self.grace,
            self.jonas,
            self.lena,
        ) = User.objects.bulk_create(
            [
                _person("Helen Brandt", role=Role.MANAGER),
                _person("Sam Okafor", role=Role.ADMIN),
                _person("Anna Keller", zone="Europe/Berlin"),
                _person("Ben Osei"),
                _person("Marco Ruiz", role=Role.LEAD),
                _person("Priya Nair"),
                _person("Mei Tanaka"),
                _person("Grace Lim", role=Role.LEAD),
                _person("Jonas Weil"),
                _person("Lena Fuchs", role=Role.LEAD),
            ]
        )
        teams = self.emea, self.integrations, self.platform = Team.objects.bulk_create(
            [
                self._team("emea", "Frontline EMEA", 1),
                self._team("integrations", "Integrations", 2, on_call=self.priya),
                self._team("platform", "Platform", 3),
            ]
        )
        self.integrations.backup_team = self.platform
        self.integrations.save(update_fields=["backup_team"])
        Team.members.through.objects.bulk_create(
            Team.members.through(team_id=team.pk, user_id=user.pk)
            for team, user in (
                (self.emea, self.anna),
                (self.emea, self.ben),
                (self.integrations, self.priya),
                (self.integrations, self.mei),
                (self.platform, self.jonas),
            )
        )
        Team.leads.through.objects.bulk_create(
            Team.leads.through(team_id=team.pk, user_id=lead.pk)
            for team, lead in zip(teams, (self.marco, self.grace, self.lena), strict=True)
        )
        self.gold, self.silver = Plan.objects.bulk_create(
            [
                Plan(slug="gold", name="Gold", calendar=self.always, in_customer_zone=False),
                Plan(slug="silver", name="Silver", calendar=self.office, rank=2),
            ]
        )
        self.norvik = self.organization("Norvik Logistics", "NOR-4471", self.gold, "Europe/Oslo")
        self.steinbach = self.organization("Steinbach", "STM-3302", self.silver, "Europe/Berlin")
        self.dana = self.contact("Dana Reyes", self.norvik)
        self.juergen = self.contact("Jürgen Adler", self.steinbach, language="de")
        self.api = Category.objects.create(
            slug="api", name="API integration", complexity="specialist", keywords="POST /v2\nAPI"
        )
        RequiredDetail.objects.create(
            category=self.api,
            key="key-id",
            label="API key ID",
            labels={"de": "API-Schlüssel-ID"},
            pattern=r"\b(key_[a-z0-9]{4,})\b",
        )
        CategoryTeam.objects.bulk_create(
            CategoryTeam(category=self.api, tier=tier, team=team)
            for tier, team in zip(self.tiers, teams, strict=True)
        )
        # Where an installation was set up, there is one.
        self.policy, _made = Policy.objects.get_or_create(
            slug="default", defaults={"name": "Default"}
        )
        self.publish()
        load_texts(now=START)

    def calendar(self, slug: str, hours: dict[str, Any]) -> Calendar:
        calendar = Calendar.objects.create(slug=slug, name=slug.capitalize())
        CalendarVersion.objects.create(calendar=calendar, number=1, hours=hours, created_at=START)
        return calendar

    def publish(self, *, now: datetime = START, text: str = "", **changes: Any) -> PolicyVersion:
        """Publish the shipped policy, with top-level parts replaced (as YAML in ``text``)."""
        body = {**_shipped(), **(yaml.safe_load(text) or {}), **changes}
        return PolicyVersion.objects.create(
            policy=self.policy,
            number=self.policy.versions.count() + 1,
            body=parse_policy(body).to_body(),
            created_at=now,
            published_at=now,
        )

    def team(self, slug: str, name: str, tier: int, **fields: Any) -> Team:
        team = self._team(slug, name, tier, **fields)
        team.save()
        return team

    def _team(self, slug: str, name: str, tier: int, **fields: Any) -> Team:
        return Team(
            slug=slug,
            name=name,
            tier=self.tiers[tier - 1],
            calendar=fields.pop("calendar", self.always),
            manager=self.helen,
            **fields,
        )

    def person(self, name: str, team: Team | None = None, **fields: Any) -> User:
        user = _person(name, **fields)
        user.save()
        if team is not None:
            team.members.add(user)
        return user

    def organization(self, name: str, customer_id: str, plan: Plan, zone: str) -> Organization:
        organization = Organization.objects.create(
            name=name, customer_id=customer_id, plan=plan, zone=zone
        )
        OrganizationDomain.objects.create(
            organization=organization, domain=f"{name.split()[0].lower()}.example"
        )
        return organization

    def contact(self, name: str, organization: Organization, **fields: Any) -> Contact:
        local = name.split()[0].lower().replace("ü", "ue")
        domain = organization.domains.get().domain
        return Contact.objects.create(
            name=name,
            email=f"{local}@{domain}",
            organization=organization,
            zone=organization.zone,
            created_at=START,
            **fields,
        )

    def away(self, user: User, *, backup: User | None = None, since: datetime = START) -> None:
        Absence.objects.create(
            user=user,
            starts_at=since - timedelta(days=1),
            ends_at=since + timedelta(days=10),
            backup=backup,
        )

    def ticket(
        self,
        subject: str = "POST /v2/invoices returns 502",
        *,
        text: str = "Every call fails since 09:10. Our key is key_4f2a91.",
        now: datetime = START,
        by: Contact | None = None,
        assignee: User | None = None,
        impact: int = 2,
        urgency: int = 2,
        **options: Any,
    ) -> Ticket:
        """A ticket that came by mail, assessed at once and given to somebody."""
        message = intake.open_ticket(
            contact=by or self.dana,
            subject=subject,
            incoming=Incoming(
                text=text,
                channel=options.pop("channel", Channel.MAIL),
                message_id=f"<{Message.objects.count()}@customer.example>",
                **options,
            ),
            now=now,
        )
        ticket = message.ticket
        if (impact, urgency) != (2, 2):
            self.assess(ticket, impact=impact, urgency=urgency, now=now)
        if assignee is not None:
            triage.assign(ticket_id=ticket.pk, assignee_id=assignee.pk, now=now, by=assignee)
        return Ticket.objects.get(pk=ticket.pk)

    def answer(
        self,
        ticket: Ticket,
        text: str,
        *,
        now: datetime,
        unverified: bool = False,
        **options: Any,
    ) -> Message:
        """The requester writes again."""
        return intake.append_message(
            ticket_id=ticket.pk,
            contact=ticket.requester,
            unverified=unverified,
            incoming=Incoming(text=text, channel=Channel.MAIL, **options),
            now=now,
        )

    def escalate(
        self,
        ticket: Ticket,
        *,
        now: datetime = START,
        by: User | None = None,
        team: Team | None = None,
        user: User | None = None,
        **request: Any,
    ) -> Escalation:
        """Anna escalates to Integrations, unless told otherwise."""
        by = by or self.anna
        asked: dict[str, Any] = {
            "kind": Kind.FUNCTIONAL,
            "trigger": Trigger.AGENT,
            "nature": Nature.EXPERTISE,
            "urgency": 1,
            "tried": "Repeated the call: 502 from the gateway.",
            "ask": "Find out why the gateway refuses it.",
            **request,
        }
        return lifecycle.escalate(
            ticket_id=ticket.pk,
            request=Request(**asked),
            team_id=(team or self.integrations).pk,
            user_id=user.pk if user else None,
            now=now,
            by=by,
        )

    def status(self, ticket: Ticket, status: str, *, now: datetime) -> None:
        """Anna brings the ticket into a status by hand."""
        triage.set_status(ticket_id=ticket.pk, status=status, now=now, by=self.anna)

    def reply(self, ticket: Ticket, *, now: datetime, status: str = "open") -> Message:
        """Anna answers the customer."""
        return conversation.reply(
            ticket_id=ticket.pk,
            text="We are looking into it.",
            status=status,
            now=now,
            by=self.anna,
        )

    def assess(self, ticket: Ticket, *, impact: int, urgency: int, now: datetime) -> None:
        """Anna says how much it matters; the rest stays."""
        ticket.refresh_from_db()
        triage.assess(
            ticket_id=ticket.pk,
            impact=impact,
            urgency=urgency,
            complexity=ticket.complexity,
            category_id=ticket.category_id,
            now=now,
            by=self.anna,
        )

    def sweep(self, now: datetime) -> int:
        """One look of the engine, at this moment."""
        return review.sweep(clock=lambda: now)

    def run(self, *, since: datetime, until: datetime, every: timedelta) -> None:
        """The engine looks again and again, as in life."""
        now = since
        while now <= until:
            self.sweep(now)
            now += every


def fresh(escalation: Escalation) -> Escalation:
    return Escalation.objects.get(pk=escalation.pk)


def handoff_of(escalation: Escalation) -> Handoff:
    """The newest hand-off."""
    return Handoff.objects.filter(escalation=escalation).latest("number")


def steps_of(handoff: Handoff) -> list[tuple[str, str]]:
    """What fired, and who was told."""
    return [
        (step.action, str(step.user or step.team or ""))
        for step in Step.objects.filter(handoff=handoff).order_by("number")
    ]


def promise_of(ticket: Ticket) -> Promise:
    return Promise.objects.filter(ticket=ticket).latest("number")


def clock_of(ticket: Ticket, kind: str) -> Clock:
    return Clock.objects.filter(ticket=ticket, kind=kind).latest("generation", "pk")


def letters_of(ticket: Ticket) -> list[str]:
    """The kinds of letter its requester gets, on their own or in a later one, oldest first."""
    return list(
        OutgoingEmail.objects.filter(about=ticket.about, to_address=ticket.requester.email)
        .exclude(state="withdrawn", merged_into=None)
        .order_by("pk")
        .values_list("kind", flat=True)
    )


def letter(ticket: Ticket, kind: str) -> Rendered:
    """What its requester reads in the newest letter of a kind."""
    mail = OutgoingEmail.objects.select_related("template").filter(
        about=ticket.about, to_address=ticket.requester.email, kind=kind
    )
    return rendering.render(mail=mail.latest("pk"))


def told(user: User, *, kind: str = "") -> list[str]:
    """The kinds of notice somebody got, oldest first."""
    notices = Notification.objects.of(user).order_by("at", "pk")
    if kind:
        notices = notices.filter(kind=kind)
    return list(notices.values_list("kind", flat=True))


@pytest.fixture
def house(db: None) -> House:
    """The cast, with the shipped policy in force."""
    return House()
