"""A small desk for tests of pages: people, teams, two customers, and tickets as they are needed.

Rows are written as they would lie in the database, so that a page is tested against what it
reads and not against the stations that lead there.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any, Protocol

from django.utils import timezone

from escalation.models import Escalation, Handoff, Policy, PolicyVersion
from escalation.models.escalation import (
    HandoffOutcome,
    Kind,
    Nature,
    State,
    Trigger,
)
from staff.models import Calendar, Role, Team, Tier, User
from tickets.models import Category, Contact, Event, Message, Organization, Plan, Ticket


class Desk:
    """Anna and Ben in EMEA (Tier 1), Priya in Integrations (Tier 2), Rui alone in a private team."""

    def __init__(self) -> None:
        self.now = timezone.now()
        calendar = Calendar.objects.create(slug="always", name="Always")
        self.tier1, self.tier2 = (
            Tier.objects.create(number=number, name=f"Tier {number}") for number in (1, 2)
        )
        self.emea = Team.objects.create(
            slug="emea", name="Frontline EMEA", tier=self.tier1, calendar=calendar
        )
        self.integrations = Team.objects.create(
            slug="integrations", name="Integrations", tier=self.tier2, calendar=calendar
        )
        self.security = Team.objects.create(
            slug="security",
            name="Secret matters",
            tier=self.tier2,
            calendar=calendar,
            is_private=True,
        )
        self.anna = self.person("Anna Keller", self.emea, zone="Europe/Berlin")
        self.ben = self.person("Ben Osei", self.emea)
        self.priya = self.person("Priya Nair", self.integrations)
        self.rui = self.person("Rui Costa", self.security)
        self.marco = self.person("Marco Ruiz", None, role=Role.LEAD)
        self.emea.leads.add(self.marco)
        self.helen = self.person("Helen Brandt", None, role=Role.MANAGER)
        self.sam = self.person("Sam Okafor", None, role=Role.ADMIN)
        self.gold, self.silver = (
            Plan.objects.create(slug=name.lower(), name=name, calendar=calendar, rank=rank)
            for rank, name in enumerate(("Gold", "Silver"), start=1)
        )
        self.norvik = Organization.objects.create(
            name="Norvik Logistics", customer_id="NOR-4471", plan=self.gold, zone="Europe/Oslo"
        )
        self.steinbach = Organization.objects.create(
            name="Steinbach", customer_id="STM-3302", plan=self.silver, zone="Europe/Berlin"
        )
        self.dana = self.contact("Dana Reyes", self.norvik, zone="Europe/Oslo")
        self.juergen = self.contact("Jürgen Adler", self.steinbach, language="de")
        self.api = Category.objects.create(slug="api", name="API integration")

    def person(self, name: str, team: Team | None, **fields: Any) -> User:
        """Somebody who works here; they have no password until a test gives them one."""
        user = User.objects.create_user(
            f"{name.split()[0].lower()}@brightquay.example", name=name, **fields
        )
        if team is not None:
            team.members.add(user)
        return user

    def contact(self, name: str, organization: Organization, **fields: Any) -> Contact:
        email = f"{name.split()[0].lower()}@customer.example"
        return Contact.objects.create(
            name=name, email=email, organization=organization, created_at=self.now, **fields
        )

    def ticket(
        self,
        subject: str = "POST /v2/invoices returns 502",
        *,
        text: str = "Still failing for all tenants",
        due: timedelta | None = None,
        **fields: Any,
    ) -> Ticket:
        """A ticket of Dana's that waits for a reply, with one message and one event."""
        requester: Contact = fields.pop("requester", self.dana)
        waiting: datetime | None = self.now - timedelta(hours=1)
        impact, urgency = fields.pop("impact", 2), fields.pop("urgency", 2)
        made = Ticket.objects.create(
            **{
                "subject": subject,
                "channel": "mail",
                "requester": requester,
                "organization": requester.organization,
                "team": self.emea,
                "category": self.api,
                "impact": impact,
                "urgency": urgency,
                "priority": min(impact + urgency - 1, 4),
                "created_at": self.now - timedelta(hours=2),
                "updated_at": self.now,
                "status_since": self.now - timedelta(hours=2),
                "waiting_since": waiting,
                "sla_due_at": self.now + due if due is not None else None,
                "sla_due_kind": "first_response" if due is not None else "",
                **fields,
            }
        )
        Message.objects.create(
            ticket=made,
            kind="customer",
            channel="mail",
            contact=requester,
            text=text,
            created_at=self.now - timedelta(hours=1),
        )
        self.happens(made, at=self.now - timedelta(hours=2))
        return made

    def happens(self, ticket: Ticket, *, at: datetime | None = None) -> None:
        """Put something on a ticket's timeline."""
        Event.objects.create(ticket=ticket, kind="noted", at=at or self.now)

    def escalated(self, ticket: Ticket, *, accepted: bool = False) -> Escalation:
        """Offer a ticket to Integrations, or have Priya accept it there."""
        policy, _made = Policy.objects.get_or_create(slug="default", defaults={"name": "Default"})
        version, _made = PolicyVersion.objects.get_or_create(
            policy=policy, number=1, defaults={"body": {}, "created_at": self.now}
        )
        escalation = Escalation.objects.create(
            ticket=ticket,
            kind=Kind.FUNCTIONAL,
            number=1,
            trigger=Trigger.AGENT,
            nature=Nature.EXPERTISE,
            urgency=2,
            reason="internal words about the customer",
            state=State.ACCEPTED if accepted else State.OFFERED,
            owner=self.priya if accepted else None,
            policy_version=version,
            opened_at=self.now,
            accepted_at=self.now if accepted else None,
        )
        Handoff.objects.create(
            escalation=escalation,
            number=1,
            from_team=self.emea,
            to_team=self.integrations,
            offered_at=self.now,
            accept_by=self.now + timedelta(minutes=30),
            outcome=HandoffOutcome.ACCEPTED if accepted else HandoffOutcome.PENDING,
            outcome_at=self.now if accepted else None,
        )
        Ticket.objects.filter(pk=ticket.pk).update(held=True)
        return escalation


class Response(Protocol):
    @property
    def content(self) -> bytes: ...


def html(response: Response) -> str:
    return response.content.decode()


def rows(response: Response) -> list[str]:
    """The references of a list's rows, in their order."""
    return re.findall(r'data-row="(HD-[0-9]+)"', html(response))


def words(response: Response) -> str:
    """What a page says, without its markup."""
    return " ".join(_Text.of(html(response)).split())


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    @classmethod
    def of(cls, page: str) -> str:
        parser = cls()
        parser.feed(page)
        return "".join(parser.said)

    def handle_data(self, data: str) -> None:
        self.said.append(data)


class Markup(HTMLParser):
    """The elements of a page, to ask what they carry."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inline_scripts: list[str] = []
        self._script: dict[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        carried = {name: value or "" for name, value in attrs}
        self.elements.append((tag, carried))
        self._script = carried if tag == "script" else None

    def handle_data(self, data: str) -> None:
        script = self._script
        if script is not None and "src" not in script and data.strip():
            self.inline_scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._script = None
