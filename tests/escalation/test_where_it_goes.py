"""Where an escalation goes: past empty, absent and closed teams, and never to nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from escalation import opening, targets
from escalation.cases import load
from escalation.rules import Target, TargetForm
from staff.models import Team
from tests.house import (
    START,
    House,
    told,
)
from tickets.errors import Refused
from tickets.models import CategoryTeam, Ticket

SATURDAY = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


def chosen(house: House, ticket: Ticket, *wanted: Target, now: datetime = START) -> tuple[str, str]:
    """The team and the person that a rule's targets lead to."""
    ticket = Ticket.objects.select_related("team__tier", "organization__plan").get(pk=ticket.pk)
    [case] = load(tickets=[ticket], now=now)
    destination = targets.choose(case=case, targets=wanted)
    destination = targets.when_closed(
        case=case,
        destination=destination,
        before=opening.expected_by(case=case, destination=destination, now=now),
    )
    return destination.team.slug, destination.user.email.partition("@")[
        0
    ] if destination.user else ""


TIER_2 = Target(TargetForm.CATEGORY_TIER, 2)
NEXT = Target(TargetForm.NEXT_TIER, True)


def test_it_goes_to_the_categorys_team_of_the_tier(house: House) -> None:
    billing = house.team("billing", "Billing", 2)
    billing.members.add(house.person("Bo Lind"))
    ticket = house.ticket()
    assert chosen(house, ticket, TIER_2) == ("integrations", "")
    CategoryTeam.objects.filter(category=house.api, tier__number=2).update(team=billing)
    assert chosen(house, ticket, TIER_2) == ("billing", "")


def test_an_empty_team_falls_through_to_the_next(house: House) -> None:
    house.integrations.members.clear()
    house.integrations.leads.clear()
    assert chosen(house, house.ticket(), TIER_2, NEXT) == ("platform", "")


def test_a_team_whose_people_are_all_absent_falls_through_to_the_next(house: House) -> None:
    for person in (house.priya, house.mei, house.grace):
        house.away(person)
    assert chosen(house, house.ticket(), TIER_2, NEXT) == ("platform", "")


def test_a_closed_team_falls_through_to_the_next(house: House) -> None:
    Team.objects.filter(pk=house.integrations.pk).update(
        calendar=house.office, on_call=None, backup_team=None
    )
    ticket = house.ticket(now=SATURDAY)
    assert chosen(house, ticket, TIER_2, NEXT, now=SATURDAY) == ("platform", "")


def test_a_closed_team_with_somebody_on_call_is_asked_through_them(house: House) -> None:
    Team.objects.filter(pk=house.integrations.pk).update(calendar=house.office)
    ticket = house.ticket(now=SATURDAY)
    assert chosen(house, ticket, TIER_2, NEXT, now=SATURDAY) == ("integrations", "priya")


def test_where_every_target_is_closed_the_backup_team_takes_it_and_then_the_lead(
    house: House,
) -> None:
    night = house.team("night", "Night", 2, calendar=house.always)
    house.integrations.refresh_from_db()
    Team.objects.update(calendar=house.office, on_call=None)
    Team.objects.filter(pk=house.integrations.pk).update(backup_team=night)
    Team.objects.filter(pk=night.pk).update(calendar=house.always)
    ticket = house.ticket(now=SATURDAY)
    assert chosen(house, ticket, TIER_2, now=SATURDAY) == ("integrations", "grace"), (
        "nobody works in the backup team"
    )
    night.members.add(house.person("Noa Lev"))
    CategoryTeam.objects.filter(category=house.api, tier__number=2).update(team=house.integrations)
    only = Target(TargetForm.TEAM, "integrations")
    assert chosen(house, ticket, only, now=SATURDAY) == ("night", "")


def test_it_cannot_end_in_nobody(house: House) -> None:
    for team in (house.emea, house.integrations, house.platform):
        team.members.clear()
        team.leads.clear()
    assert chosen(house, house.ticket(), TIER_2, NEXT) == ("emea", "helen")
    house.away(house.helen)
    assert chosen(house, house.ticket(), TIER_2, NEXT) == ("emea", "sam")


def test_an_offer_to_somebody_absent_reaches_their_backup(house: House) -> None:
    house.away(house.mei, backup=house.priya)
    house.escalate(house.ticket(assignee=house.anna), user=house.mei)
    assert told(house.priya) == ["staff_offer"]
    assert told(house.mei) == []


def test_it_does_not_go_to_where_the_ticket_is(house: House) -> None:
    with pytest.raises(Refused) as refused:
        house.escalate(house.ticket(assignee=house.anna), team=house.emea)
    assert refused.value.field == "team"


def test_it_does_not_go_to_somebody_who_is_not_of_the_team(house: House) -> None:
    with pytest.raises(Refused) as refused:
        house.escalate(house.ticket(assignee=house.anna), user=house.jonas)
    assert refused.value.field == "user"
