"""A year of tickets that are over, so that lists, searches and reports have something to say.

The newest stand right below the demo's own, in one sequence. There are not enough numbers below
HD-1019 for a whole year: what is older came along from the desk before this one and kept its
numbers, which begin with year and month (HD-2512041 is the 41st of December 2025).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from escalation.models import PolicyVersion
from escalation.policyspec import PolicySpec
from escalation.roster import Roster, call_roll
from escalation.rules import Kind, Rule
from helpdesk.demo import customers, lives, measured, yearwords
from helpdesk.demo.climbs import ROOM, Climb
from helpdesk.demo.conversations import SUBJECTS
from helpdesk.demo.life import MINUTE, Life
from helpdesk.demo.shelf import Shelf
from helpdesk.demo.stage import Stage
from staff.editions import Edition
from staff.models import Team, User
from tickets.models import Category, Contact, RequiredDetail, Ticket
from tickets.models.ticket import Channel, Status

T = TypeVar("T")

TICKETS = 2_000
OLDEST_OF_THE_DEMO = min(SUBJECTS)
LENGTH = timedelta(days=365)
SEED = "Brightquay"
ATTEMPTS = 100

#: Of 100 tickets, by category and by organization.
ABOUT = {
    "api-integration": 22,
    "billing-and-charges": 20,
    "account-and-access": 14,
    "webhooks": 12,
    "exports": 10,
    "sign-in-and-sso": 8,
    "documents-and-language": 6,
    "data-and-compliance": 5,
    "certificates": 3,
}
FROM = {"norvik": 22, "casalume": 20, "pinecrest": 20, "steinbach": 16, "aoba": 13, "verdejo": 9}
#: Impact and urgency, 1 the highest.
WEIGHTS = {(1, 1): 3, (1, 2): 6, (2, 1): 12, (2, 2): 44, (2, 3): 12, (3, 2): 13, (3, 3): 10}
CHANNELS = {Channel.MAIL: 78, Channel.WEB: 14, Channel.PHONE: 8}
#: How many of 100 go up, by priority; more where a specialist is needed.
GO_UP = {1: 55, 2: 34, 3: 16, 4: 6}


def load(*, stage: Stage, before: datetime, tickets: int = TICKETS) -> int:
    """Make the year before the demo's own tickets; returns how many tickets were made."""
    rng = Random(SEED)
    roster = call_roll(now=stage.curtain, edition=Edition())
    # Who is away now was there most of the year.
    roster.backups.clear()
    desk = _Desk(
        stage=stage,
        roster=roster,
        people=_People(stage),
        policy_version=PolicyVersion.objects.in_force(),
        required=_required(),
    )
    shelf = Shelf()
    moments = _moments(rng, stage, before, tickets)
    for number, at in zip(_numbers(moments), moments, strict=True):
        shelf.take_over(_told(rng, desk, number, at))
    shelf.write()
    return len(moments)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What does not change while the year is told."""

    stage: Stage
    roster: Roster
    people: _People
    policy_version: PolicyVersion
    required: Mapping[int, Sequence[RequiredDetail]]


def _told(rng: Random, desk: _Desk, number: int, at: datetime) -> Shelf:
    """A ticket whose life was over in time; of the newest some have to be told again."""
    for _attempt in range(ATTEMPTS):
        ticket = _ticket(rng, desk, number, at)
        assert ticket.category is not None
        life = Life(
            rng=rng,
            shelf=Shelf(),
            roster=desk.roster,
            policy_version=desk.policy_version,
            ticket=ticket,
            topic=rng.choice(yearwords.TOPICS[ticket.category.slug]),
            required=desk.required.get(ticket.category.pk, ()),
            at=at,
            curtain=desk.stage.curtain,
        )
        ticket.subject = life.topic.subject
        try:
            _tell(life)
        except lives.TooLong:
            continue
        return life.shelf
    raise RuntimeError(f"HD-{number} does not come to an end before the demo begins.")


def _required() -> dict[int, list[RequiredDetail]]:
    required: dict[int, list[RequiredDetail]] = {}
    for need in RequiredDetail.objects.order_by("category_id", "position", "key"):
        required.setdefault(need.category_id, []).append(need)
    return required


def numbers() -> range:
    """Those right below the demo's own."""
    return range(1, OLDEST_OF_THE_DEMO)


def is_old_number(number: int) -> bool:
    """Whether it is one of the desk before: two digits each for year and month, three more."""
    return len(str(number)) == 7 and 1 <= number // 1000 % 100 <= 12


class _People:
    """Who wrote: present ones only on tickets of this desk, former ones on those before."""

    def __init__(self, stage: Stage) -> None:
        since = stage.curtain - timedelta(days=420)
        self._by_customer: dict[tuple[bool, str], list[Contact]] = {}
        for former, names in ((True, yearwords.FORMER), (False, yearwords.PRESENT)):
            for customer, people in names.items():
                self._by_customer[former, customer] = [
                    _contact(name, customer, since) for name in people
                ]
        for key, writer in customers.CONTACTS.items():
            self._by_customer[False, writer.customer].append(stage.contacts[key])

    def one(self, rng: Random, *, former: bool) -> Contact:
        # Norvik has become a customer since.
        weights = {key: n for key, n in FROM.items() if (former, key) in self._by_customer}
        return rng.choice(self._by_customer[former, _drawn(rng, weights)])


def _contact(name: str, customer: str, since: datetime) -> Contact:
    at = customers.CUSTOMERS[customer]
    mailbox = name.lower().replace(" ", ".").replace("í", "i")
    return Contact.objects.get_or_create(
        email=f"{mailbox}@{at.domain}",
        defaults={
            "name": name,
            "organization": customers.organization(customer),
            "zone": at.zone,
            "verified_at": since,
            "created_at": since,
        },
    )[0]


def _moments(rng: Random, stage: Stage, before: datetime, tickets: int) -> list[datetime]:
    """When each was opened, earliest first: while people work, as most of them were."""
    office, start = stage.office(), before - LENGTH
    open_time = office.between(start, before)
    # It became a little more from month to month.
    return sorted(office.add(start, open_time * rng.random() ** 0.85) for _ in range(tickets))


def _numbers(moments: Sequence[datetime]) -> list[int]:
    old = max(0, len(moments) - len(numbers()))
    of_month: Counter[int] = Counter()
    made = []
    for at in moments[:old]:
        month = at.year % 100 * 100 + at.month
        of_month[month] += 1
        made.append(month * 1000 + of_month[month])
    return [*made, *numbers()[len(numbers()) - (len(moments) - old) :]]


def _ticket(rng: Random, desk: _Desk, number: int, at: datetime) -> Ticket:
    roster = desk.roster
    contact = desk.people.one(rng, former=number not in numbers())
    category: Category = desk.stage.categories[_drawn(rng, ABOUT)]
    impact, urgency = _drawn(rng, WEIGHTS)
    lowest = min(team.tier.number for team in roster.teams.values())
    team: Team = roster.team_of_category(category.pk, lowest) or roster.teams_at(lowest)[0]
    members: list[User] = [roster.users[pk] for pk in roster.members[team.pk]]
    return Ticket(
        pk=number,
        status=Status.NEW,
        impact=impact,
        urgency=urgency,
        priority=min(impact + urgency - 1, 4),
        complexity=category.complexity,
        category=category,
        channel=_drawn(rng, CHANNELS),
        requester=contact,
        organization=contact.organization,
        team=team,
        assignee=rng.choice(members or list(roster.users.values())),
        created_at=at,
        updated_at=at,
        status_since=at,
    )


def _tell(life: Life) -> None:
    rng, ticket = life.rng, life.ticket
    life.shelf.put(ticket)
    lives.opens(life)
    goes_up = rng.random() * 100 < GO_UP[ticket.priority]
    rule, at = _rule(life) if goes_up and rng.random() < 0.45 else (None, None)
    lives.is_answered(life, not_before=at if rule and rule.kind == Kind.FUNCTIONAL else None)
    if goes_up:
        start = at or life.office.add(life.at, rng.randint(6, 50) * MINUTE)
        if rule is not None and rule.kind == Kind.HIERARCHICAL:
            start = life.office.add(life.at, rng.randint(60, 200) * MINUTE)
            ticket.asked_to_escalate_at = start
            life.shelf.event(ticket, "escalation_asked", start, contact=ticket.requester)
        end = max(lives.solved_at(life), life.office.add(max(start, life.at), ROOM))
        Climb(life, rule=rule, start=start, end=end).tell()
        lives.is_resolved(life, end)
    else:
        lives.is_resolved(life, lives.solved_at(life))
    if rng.random() < 0.07:
        lives.comes_back(life)
    lives.is_closed(life)
    measured.clocks_ran(life)


def _rule(life: Life) -> tuple[Rule | None, datetime | None]:
    """A rule that may well have escalated this ticket, and when it did."""
    ticket, policy = life.ticket, life.policy
    if ticket.priority == 1:
        return _named(policy, "p1-unanswered"), ticket.created_at + 15 * MINUTE
    if ticket.category is not None and ticket.category.slug == "api-integration":
        due = life.plan_time.add(ticket.created_at, timedelta(hours=4))
        if due < ticket.created_at + timedelta(hours=20):
            return _named(policy, "api-unanswered"), due
    return (_named(policy, "customer-asks") if life.rng.random() < 0.4 else None), None


def _named(policy: PolicySpec, key: str) -> Rule | None:
    return next((rule for rule in policy.rules if rule.key == key), None)


def _drawn(rng: Random, weights: Mapping[T, int]) -> T:
    return rng.choices(list(weights), weights=list(weights.values()))[0]
