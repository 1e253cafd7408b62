"""A ticket of the past year goes up: offered, accepted or not, promised, ended, looked back at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from escalation import opening, packages, paths
from escalation.cases import Case
from escalation.models import ChecklistTick, Clock, Decision, Escalation, Handoff, Review, Step
from escalation.models.clock import ClockKind, ClockState
from escalation.models.escalation import (
    HandoffOutcome,
    Kind,
    Nature,
    ReturnReason,
    State,
    Trigger,
)
from escalation.packages import Materials
from escalation.policyspec import Action
from escalation.rules import Rule
from escalation.targets import Destination
from escalation.ticketfacts import ClockFact, TicketFacts
from helpdesk.demo import yearwords
from helpdesk.demo.expected import Expectation
from helpdesk.demo.life import MINUTE, Life
from helpdesk.demo.measured import acceptance_ran
from staff.durations import parse_duration
from staff.models import User

#: Letters and follow-ups of what is long over are left out, so that their items of the procedure's
#: checklist were ticked by hand: in so many of the escalations.
TICKED = {"notify": 0.95, "remind": 0.78}

ROOM = timedelta(hours=2)
"""So much office time an escalation takes at the least."""


class Climb:
    """One escalation of one life, between a moment and the ticket's solution."""

    def __init__(self, life: Life, *, rule: Rule | None, start: datetime, end: datetime) -> None:
        self.life, self.rule, self.end = life, rule, end
        self.rng, self.ticket, self.shelf = life.rng, life.ticket, life.shelf
        self.start = start
        above = rule is not None and Kind(rule.kind) == Kind.HIERARCHICAL
        asked = rule is not None and rule.nature == Nature.ASKED
        trigger = Trigger.AGENT if rule is None else Trigger.CUSTOMER if asked else Trigger.RULE
        self.escalation = Escalation(
            ticket=self.ticket,
            kind=Kind.HIERARCHICAL if above else Kind.FUNCTIONAL,
            number=1,
            trigger=trigger,
            rule_key=rule.key if rule else "",
            nature=rule.nature
            if rule
            else self.rng.choice((Nature.EXPERTISE, Nature.EXPERTISE, Nature.ACCESS)),
            urgency=(rule.urgency if rule else None) or self.ticket.urgency,
            reason=rule.name if rule else "",
            tried="" if rule else life.topic.tried,
            ask="" if rule else life.topic.ask or "Please take a look.",
            state=State.OFFERED,
            policy_version=life.policy_version,
            incomplete=bool(life.gathered.missing),
            missing=[detail.key for detail in life.gathered.missing],
            opened_at=start,
            opened_by=None if rule else life.agent,
            hops=0,
        )
        followed = self.case(start).procedure
        self.escalation.procedure_version_id = followed.pk if followed else None
        self.hops: list[Handoff] = []

    def case(self, at: datetime) -> Case:
        return Case(
            ticket=self.ticket,
            policy_version=self.life.policy_version,
            roster=replace(self.life.roster, now=at),
            gathered=self.life.gathered,
        )

    def between(self, share: float) -> datetime:
        """A moment in office hours, so far on the way to the solution."""
        office = self.life.office
        return office.add(self.start, office.between(self.start, self.end) * share)

    def tell(self) -> None:
        """All of it; afterwards the life goes on where the escalation has ended."""
        self.shelf.put(self.escalation)
        to = self._destination(tier=2 if self.rng.random() < 0.8 else 3)
        self._offer(to, self.start, by=self.escalation.opened_by)
        self._explain()
        self._promise()
        self._tick()
        way = self.rng.random()
        if self.rule is None and way < 0.05:
            self._withdraw()
        elif way < 0.13:
            self._come_back_and_go_on()
        elif way < 0.20 and self.escalation.kind == Kind.FUNCTIONAL:
            self._hand_on()
        elif way < 0.24 and self.escalation.kind == Kind.FUNCTIONAL:
            self._send_back()
        else:
            self._accept(by=self.between(0.4))
            if way > 0.97:
                self._de_escalate()
            else:
                self._end(State.RESOLVED, self.between(0.85), by=self.escalation.owner)
        self._look_back()
        self.life.at = max(self.life.at, self.between(0.9))

    def _tick(self) -> None:
        by = self.escalation.opened_by or self.life.agent
        for minutes, (item, share) in enumerate(TICKED.items(), start=2):
            if self.rng.random() > share:
                continue
            at = self.start + minutes * MINUTE
            self.shelf.put(ChecklistTick(escalation=self.escalation, item=item, at=at, user=by))
            self.shelf.event(
                self.ticket, "ticked", at, user=by, escalation=self.escalation, item=item
            )

    # The offer

    def _destination(self, *, tier: int) -> Destination:
        life, roster = self.life, self.life.roster
        if self.escalation.kind == Kind.HIERARCHICAL:
            return Destination(life.team, roster.lead_or_above(life.team))
        team = roster.team_of_category(self.ticket.category_id, tier)
        return Destination(team or roster.teams_above(life.team.tier.number)[0])

    def _offer(self, to: Destination, at: datetime, *, by: User | None) -> Handoff:
        case, before = self.case(at), self.hops[-1] if self.hops else None
        terms = opening.terms(case=case, destination=to, now=at)
        self.escalation.hops += 1
        handoff = Handoff(
            escalation=self.escalation,
            number=self.escalation.hops,
            from_team=before.to_team if before else self.life.team,
            to_team=terms.destination.team,
            to_user=terms.destination.user,
            offered_at=at,
            offered_by=by,
            accept_by=terms.accept_by,
            path=paths.plan(
                case=case, key=self.rule.path if self.rule else None, on_the_wall=terms.called
            ),
            package=packages.pack(
                ticket=self.ticket,
                escalation=self.escalation,
                gathered=self.life.gathered,
                materials=Materials(),
            ),
        )
        self.acceptance = terms.acceptance
        self.hops.append(handoff)
        self.shelf.put(handoff)
        self.shelf.event(
            self.ticket,
            "escalated" if before is None else "offered",
            at,
            user=by,
            kind=str(self.escalation.kind),
            trigger=str(self.escalation.trigger),
            rule=self.escalation.rule_key,
            number=1,
            handoff=handoff.number,
            team=handoff.to_team,
            to=handoff.to_user,
        )
        return handoff

    def _answer(
        self, outcome: HandoffOutcome, at: datetime, *, by: User | None, met: bool = False
    ) -> None:
        """An offer is answered; until then its path went on."""
        handoff = self.hops[-1]
        if handoff.outcome == HandoffOutcome.PENDING:
            self._walk_path(handoff, at)
            clock = Clock(
                kind=ClockKind.ACCEPTANCE,
                handoff=handoff,
                state=ClockState.MET if met else ClockState.DROPPED,
                started_at=handoff.offered_at,
            )
            acceptance_ran(self.life, clock, self.acceptance, at)
        handoff.outcome, handoff.outcome_at, handoff.outcome_by = outcome, at, by

    def _walk_path(self, handoff: Handoff, until: datetime) -> None:
        roster = self.life.roster
        time, at = roster.time_of(handoff.to_team), handoff.offered_at
        for number, step in enumerate(handoff.path, start=1):
            at = parse_duration(step["after"]).after(at, time)
            if at >= until or step["action"] == Action.BACKUP_TEAM:
                return
            user = None
            if step["action"] != Action.REMIND:
                user = paths.person_for(action=step["action"], team=handoff.to_team, roster=roster)
            self.shelf.put(
                Step(
                    handoff=handoff,
                    number=number,
                    action=step["action"],
                    fired_at=at,
                    user=user,
                    team=handoff.to_team,
                )
            )
            self.shelf.event(
                self.ticket,
                "step_fired",
                at,
                escalation=self.escalation,
                handoff=handoff,
                action=step["action"],
                user=user,
                team=handoff.to_team,
            )

    def _explain(self) -> None:
        """Why a rule escalated, in its own reasons."""
        if self.rule is None:
            return
        ticket, at, clocks = self.ticket, self.start, {}
        if (goal := self.life.goals.resolution) is not None:
            time = goal.on(self.life.plan_time)
            clocks["resolution"] = ClockFact(
                time=time, budget=goal.length, running_since=ticket.created_at
            )
        facts = TicketFacts(
            reference=ticket.reference,
            status="new",
            priority=ticket.priority,
            impact=ticket.impact,
            urgency=ticket.urgency,
            created_at=ticket.created_at,
            status_since=ticket.created_at,
            plan_time=self.life.plan_time,
            category=ticket.category.slug if ticket.category else None,
            waiting_since=ticket.created_at,
            customer_asked_to_escalate_at=ticket.asked_to_escalate_at,
            clocks=clocks,
        )
        self.shelf.put(
            Decision(
                ticket=ticket,
                escalation=self.escalation,
                at=at,
                rule_key=self.rule.key,
                policy_version=self.life.policy_version,
                reasons=[
                    reason.to_json() for reason in self.rule.when.reasons(facts, self.rule.key, at)
                ],
            )
        )

    # What becomes of it

    def _accept(self, *, by: datetime) -> None:
        handoff = self.hops[-1]
        life, rng = self.life, self.rng
        wait = handoff.accept_by - handoff.offered_at
        late = rng.random() < 0.1
        at = handoff.offered_at + wait * (rng.uniform(1.1, 1.9) if late else rng.betavariate(2, 4))
        at = max(min(at, by), handoff.offered_at + MINUTE)
        people = [life.roster.users[pk] for pk in life.roster.members[handoff.to_team_id]]
        owner = handoff.to_user or rng.choice(people or [life.agent])
        self._answer(HandoffOutcome.ACCEPTED, at, by=owner, met=True)
        self.escalation.owner, self.escalation.accepted_at = owner, at
        self.shelf.event(
            self.ticket,
            "accepted",
            at,
            user=owner,
            escalation=self.escalation,
            handoff=handoff,
            owner=owner,
            by_lead=False,
        )

    def _return(self, outcome: HandoffOutcome, reason: ReturnReason, at: datetime) -> None:
        handoff = self.hops[-1]
        user = self.escalation.owner or self._somebody(handoff)
        self._answer(outcome, at, by=user)
        handoff.reason_code = reason
        self.escalation.owner = None
        self.shelf.event(
            self.ticket,
            str(outcome),
            at,
            user=user,
            escalation=self.escalation,
            handoff=handoff,
            reason=str(reason),
            missing=[],
        )

    def _come_back_and_go_on(self) -> None:
        """Declined, since something is missing or unclear; offered again, and accepted."""
        first = self.hops[-1]
        reason = self.rng.choice((ReturnReason.DETAILS_MISSING, ReturnReason.NOT_REPRODUCIBLE))
        self._return(HandoffOutcome.DECLINED, reason, self.between(0.1))
        again = Destination(first.to_team, first.to_user)
        self.life.notes("Asked again and added what was missing.", self.between(0.2))
        self._offer(again, self.between(0.22), by=self.life.agent)
        self._accept(by=self.between(0.45))
        self._end(State.RESOLVED, self.between(0.85), by=self.escalation.owner)

    def _hand_on(self) -> None:
        """Another team's after all."""
        first, at = self.hops[-1], self.between(0.15)
        user = self._somebody(first)
        others = [
            team
            for team in self.life.roster.teams_above(self.life.team.tier.number)
            if team != first.to_team
        ]
        if others:
            self._answer(HandoffOutcome.HANDED_ON, at, by=user)
            self._offer(Destination(others[0]), at, by=user)
        self._accept(by=self.between(0.5))
        self._end(State.RESOLVED, self.between(0.85), by=self.escalation.owner)

    def _send_back(self) -> None:
        """The answer was known; the assignee ends it with that."""
        self._accept(by=self.between(0.4))
        self._return(HandoffOutcome.SENT_BACK, ReturnReason.KNOWN_ANSWER, self.between(0.6))
        self._end(State.RESOLVED, self.between(0.85), by=self.life.agent)

    def _withdraw(self) -> None:
        at = min(self.between(0.1), self.start + 25 * MINUTE)
        self._answer(HandoffOutcome.ENDED, at, by=self.life.agent)
        self._end(State.WITHDRAWN, at, by=self.life.agent)
        self.escalation.outcome = "Found the answer in the meantime."

    def _de_escalate(self) -> None:
        lead = self.life.roster.lead_or_above(self.hops[-1].to_team)
        self._end(State.DE_ESCALATED, self.between(0.7), by=lead)
        self.escalation.outcome = "The customer found a way round; it is not pressing any more."

    def _end(self, state: State, at: datetime, *, by: User | None) -> None:
        life, escalation = self.life, self.escalation
        escalation.state, escalation.ended_at, escalation.ended_by = state, at, by
        if state == State.RESOLVED:
            escalation.outcome, escalation.cause = life.topic.outcome, life.topic.cause
        kind = "escalation_resolved" if state == State.RESOLVED else str(state)
        self.shelf.event(self.ticket, kind, at, user=by, escalation=escalation)

    def _somebody(self, handoff: Handoff) -> User:
        members = self.life.roster.members[handoff.to_team_id]
        people = [self.life.roster.users[pk] for pk in members]
        return handoff.to_user or self.rng.choice(people or [self.life.agent])

    # What the customer is told, and what is learnt

    def _promise(self) -> None:
        """The customer hears of it, but for authority they did not ask for."""
        escalation, handoff = self.escalation, self.hops[-1]
        if escalation.kind == Kind.HIERARCHICAL and escalation.trigger != Trigger.CUSTOMER:
            return
        due = opening.expected_by(
            case=self.case(self.start),
            destination=Destination(handoff.to_team, handoff.to_user),
            now=self.start,
        )
        told = Expectation(self.life, escalation, due, self.end)
        told.tell(not_after=self.between(0.8))

    def _look_back(self) -> None:
        """A third of them are reviewed by a lead, within two days."""
        if self.rng.random() > 0.35:
            return
        lead = self.life.roster.lead_or_above(self.life.team)
        at = self.life.office.add(self.end, timedelta(hours=self.rng.uniform(2, 16)))
        avoidable = self.rng.random() < 0.27
        if lead is None or at >= self.life.curtain:
            return
        self.shelf.put(
            Review(
                escalation=self.escalation,
                avoidable=avoidable,
                note=self.rng.choice(yearwords.LEARNT) if avoidable else "",
                at=at,
                user=lead,
            )
        )
        self.shelf.event(
            self.ticket,
            "escalation_reviewed",
            at,
            user=lead,
            escalation=self.escalation,
            avoidable=avoidable,
        )
