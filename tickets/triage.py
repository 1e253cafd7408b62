"""Triage: what a ticket is about, how much it matters, whose it is and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from notifications import noticeboard
from notifications.noticeboard import Notice
from staff.editions import Edition
from staff.models import Team, User
from tickets import gathering, locking, status, timeline
from tickets.errors import Refused
from tickets.models import Category, CategoryTeam, Ticket
from tickets.models.customers import Complexity
from tickets.models.ticket import Level, Status

#: What a person can set by hand; resolving, closing and reopening have stations of their own.
BY_HAND = (Status.OPEN, Status.WAITING, Status.ON_HOLD)


def priority_of(*, impact: int, urgency: int) -> int:
    """The matrix: P1 for high × high, one less for each level lower, P4 at the least."""
    return min(impact + urgency - 1, 4)


@transaction.atomic
def assess(
    *,
    ticket_id: int,
    impact: int,
    urgency: int,
    complexity: str,
    category_id: int | None,
    now: datetime,
    by: User,
) -> Ticket:
    """Say how much a ticket matters, how hard it is and what it is about.

    A new category's details are looked for in the conversation. Raises ``Refused`` naming
    the field.
    """
    ticket = locking.lock(ticket_id)
    locking.must_be_open(ticket)
    if impact not in Level.values:
        raise Refused(_("Choose high, medium or low."), field="impact")
    if urgency not in Level.values:
        raise Refused(_("Choose high, medium or low."), field="urgency")
    if complexity not in Complexity.values:
        raise Refused(_("Choose how hard it is."), field="complexity")
    category = Category.objects.filter(pk=category_id).first() if category_id else None
    if category_id and category is None:
        raise Refused(_("There is no such category."), field="category")
    new_category = ticket.category_id != category_id
    ticket.impact, ticket.urgency = impact, urgency
    ticket.priority = priority_of(impact=impact, urgency=urgency)
    ticket.complexity, ticket.category, ticket.assessed_at = complexity, category, now
    ticket.version += 1
    ticket.save(
        update_fields=(
            "impact",
            "urgency",
            "priority",
            "complexity",
            "category",
            "assessed_at",
            "version",
        )
    )
    timeline.record(
        ticket=ticket,
        kind="assessed",
        now=now,
        by=by,
        data={
            "impact": impact,
            "urgency": urgency,
            "priority": ticket.priority,
            "complexity": complexity,
            "category": category_id,
        },
    )
    if new_category and category is not None:
        gathering.find_again(ticket=ticket, now=now)
    return ticket


@transaction.atomic
def assign(*, ticket_id: int, assignee_id: int | None, now: datetime, by: User) -> Ticket:
    """Say who answers to the customer, or that nobody does yet; they are told.

    Assigning again changes nothing. Raises ``Refused`` for somebody who cannot see it.
    """
    ticket = locking.lock(ticket_id)
    if ticket.assignee_id == assignee_id:
        return ticket
    assignee = User.objects.filter(pk=assignee_id, is_active=True).first() if assignee_id else None
    if assignee_id and assignee is None:
        raise Refused(_("Choose somebody who works here."), field="assignee")
    if assignee and not Ticket.objects.visible_to(assignee).filter(pk=ticket_id).exists():
        raise Refused(
            _("%(name)s may not see tickets of %(team)s.")
            % {"name": assignee.name, "team": ticket.team},
            field="assignee",
        )
    take(ticket=ticket, assignee=assignee, now=now, by=by)
    if assignee is not None and assignee != by:
        noticeboard.notify(
            notices=[
                Notice(
                    dedupe_key=f"{ticket.reference}:assigned:{ticket.version}",
                    readers=(assignee.pk,),
                    kind="staff_assigned",
                    about=ticket.about,
                    variables={
                        "ref": ticket.reference,
                        "subject": ticket.subject,
                        "url": ticket.address,
                        "by": by.name,
                    },
                )
            ],
            now=now,
        )
    return ticket


def take(*, ticket: Ticket, assignee: User | None, now: datetime, by: User) -> None:
    """Give a locked ticket to somebody."""
    ticket.assignee = assignee
    ticket.version += 1
    ticket.save(update_fields=("assignee", "version"))
    timeline.record(
        ticket=ticket,
        kind="assigned",
        now=now,
        by=by,
        data={"assignee": assignee.pk if assignee else None},
    )


@transaction.atomic
def move(*, ticket_id: int, team_id: int, now: datetime, by: User) -> Ticket:
    """Give a ticket to another team; whoever may not see it there is no longer its assignee."""
    ticket = locking.lock(ticket_id)
    locking.must_be_open(ticket)
    team = Team.objects.select_related("tier").filter(pk=team_id).first()
    if team is None:
        raise Refused(_("Choose a team."), field="team")
    if team == ticket.team:
        return ticket
    ticket.team = team
    ticket.version += 1
    ticket.save(update_fields=("team", "version"))
    timeline.record(ticket=ticket, kind="moved", now=now, by=by, data={"team": team.pk})
    assignee = ticket.assignee
    if assignee and not Ticket.objects.visible_to(assignee).filter(pk=ticket.pk).exists():
        take(ticket=ticket, assignee=None, now=now, by=by)
    return ticket


@transaction.atomic
def set_status(*, ticket_id: int, status: str, now: datetime, by: User) -> Ticket:
    """Open a ticket, let it wait for the customer, or put it on hold; clocks follow.

    Raises ``Refused`` for one that is over, and for any other status.
    """
    ticket = locking.lock(ticket_id)
    locking.must_be_open(ticket)
    if status not in BY_HAND:
        raise Refused(_("Choose open, waiting on customer or on hold."), field="status")
    change_status(ticket=ticket, to=Status(status), now=now, by=by)
    return ticket


def change_status(*, ticket: Ticket, to: Status, now: datetime, by: User) -> None:
    """Bring a locked ticket into a status that a person can set."""
    status.change(ticket=ticket, to=to, now=now, by=by)


def category_for(*, subject: str, text: str, edition: Edition) -> Category | None:
    """The category whose keyword stands in a subject, else in a text; the longest counts."""
    keywords = edition.keep("keywords", _read_keywords)
    for haystack in (subject.casefold(), text.casefold()):
        for keyword, category in keywords:
            if keyword in haystack:
                return category
    return None


def _read_keywords() -> list[tuple[str, Category]]:
    """Each keyword with its category, the longest first."""
    keywords = [
        (keyword.strip(), category)
        for category in Category.objects.exclude(keywords="").order_by("pk")
        for keyword in category.keywords.casefold().splitlines()
        if keyword.strip()
    ]
    return sorted(keywords, key=lambda known: -len(known[0]))


def categories(edition: Edition) -> Sequence[Category]:
    """Every category, by name."""
    return edition.keep("categories", lambda: tuple(Category.objects.order_by("name")))


def team_for(*, category: Category | None, edition: Edition) -> Team | None:
    """Where a new ticket goes: the category's team of the lowest tier, else any of that tier."""
    teams = edition.keep("teams for new tickets", _read_teams)
    return teams.get(category.pk if category else None) or teams.get(None)


def _read_teams() -> dict[int | None, Team]:
    """The team of the lowest tier by category id, and under None the one for all others."""
    teams = Team.objects.select_related("tier").order_by("tier__number", "pk")
    lowest = teams.first()
    if lowest is None:
        return {}
    found: dict[int | None, Team] = {
        known.category_id: known.team
        for known in CategoryTeam.objects.select_related("team__tier")
        .order_by("category_id", "tier__number")
        .distinct("category_id")
        if known.team.tier == lowest.tier
    }
    if (anybody := teams.filter(is_private=False).first()) is not None:
        found[None] = anybody
    return found
