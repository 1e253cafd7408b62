"""Why a ticket was escalated, why not by the other rules, and what happens next and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from escalation import clocks, endings, facts, paths, promises, targets
from escalation.cases import Case, load
from escalation.conditions import Reason
from escalation.followups import receiver_of
from escalation.models.clock import ClockState
from escalation.models.escalation import State
from escalation.rules import RuleExplanation, Skip, explain
from escalation.targets import Destination
from staff.models import User
from tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Made:
    """An escalation by rule that was made: when, by which rule, for which reasons."""

    escalation: str
    rule: str
    at: datetime
    policy: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that happens by itself at a moment, if nobody does anything before."""

    at: datetime
    kind: str
    what: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything the engine can say about a ticket at one moment."""

    ticket: Ticket
    now: datetime
    made: tuple[Made, ...]
    rules: tuple[RuleExplanation, ...]
    goes_to: dict[str, str]
    coming: tuple[Coming, ...]
    next_look: datetime | None

    def to_json(self) -> dict[str, Any]:
        """A shape of plain values, moments as ISO 8601 in UTC."""
        return {
            "ticket": self.ticket.reference,
            "at": self.now.isoformat(),
            "made": [
                {
                    "escalation": made.escalation,
                    "rule": made.rule,
                    "at": made.at.isoformat(),
                    "policy": made.policy,
                    "reasons": [reason.to_json() for reason in made.reasons],
                }
                for made in self.made
            ],
            "rules": [
                {**rule.to_json(), "goes_to": self.goes_to.get(rule.rule.key, "")}
                for rule in self.rules
            ],
            "coming": [
                {
                    "at": coming.at.isoformat(),
                    "kind": coming.kind,
                    "what": coming.what,
                    "who": coming.who,
                }
                for coming in self.coming
            ],
            "next_look": self.next_look.isoformat() if self.next_look else None,
        }


def explain_ticket(*, ticket: Ticket, now: datetime) -> Explanation:
    """Explain a ticket; reads and changes nothing. ``ticket`` needs no lock."""
    [case] = load(tickets=[ticket], now=now)
    return explain_case(case=case, now=now)


def explain_case(*, case: Case, now: datetime) -> Explanation:
    """As ``explain_ticket``, for a case that is loaded already."""
    heard = facts.listen([case])
    what_is = facts.facts_of(case, heard.get(case.ticket.pk, facts.NOTHING))
    rules = explain(what_is, case.policy.rules, now)
    goes_to = {
        rule.rule.key: named(targets.choose(case=case, targets=rule.rule.to)) for rule in rules
    }
    return Explanation(
        ticket=case.ticket,
        now=now,
        made=_made(case),
        rules=rules,
        goes_to=goes_to,
        coming=tuple(sorted(_coming(case, rules, goes_to, now), key=lambda coming: coming.at)),
        next_look=case.ticket.review_at,
    )


def named(destination: Destination) -> str:
    """A destination in a word: the team, and the person where the offer goes to one."""
    if destination.user is not None:
        return f"{destination.user} ({destination.team})"
    return str(destination.team)


def _made(case: Case) -> tuple[Made, ...]:
    keys = {escalation.pk: escalation.key for escalation in case.escalations}
    return tuple(
        Made(
            escalation=keys.get(decision.escalation_id or 0, ""),
            rule=decision.rule_key,
            at=decision.at,
            policy=str(decision.policy_version),
            reasons=tuple(Reason.from_json(reason) for reason in decision.reasons),
        )
        for decision in reversed(case.decisions[-50:])
    )


def _coming(
    case: Case, rules: Sequence[RuleExplanation], goes_to: dict[str, str], now: datetime
) -> list[Coming]:
    coming = [*_of_clocks(case, now), *_of_paths(case, now), *_of_promise(case, now)]
    coming += _of_rules(case, rules, goes_to, now)
    for follow_up in case.follow_ups:
        if follow_up.due_at > now:
            person = receiver_of(follow_up, case)
            coming.append(Coming(follow_up.due_at, "follow_up", str(follow_up), str(person or "")))
    if (at := endings.closes_at(case)) is not None and at > now:
        coming.append(Coming(at, "close", _("Closes by itself")))
    return coming


def _of_clocks(case: Case, now: datetime) -> list[Coming]:
    found = []
    for clock in case.clocks:
        if clock.state != ClockState.RUNNING or clock.due_at is None:
            continue
        warn_at = clocks.warning_moment(case, clock)
        label = str(clock.get_kind_display())
        if clock.warned_at is None and warn_at > now:
            found.append(
                Coming(warn_at, "clock_warning", _("%(clock)s: warning") % {"clock": label})
            )
        if clock.due_at > now:
            found.append(Coming(clock.due_at, "clock", _("%(clock)s: due") % {"clock": label}))
    return found


def _of_paths(case: Case, now: datetime) -> list[Coming]:
    return [
        Coming(
            entry.at,
            "path",
            _("Path, step %(number)d: %(action)s")
            % {"number": entry.number, "action": paths.ACTIONS[entry.action]},
            str(entry.user or entry.team or ""),
        )
        for escalation in case.open_escalations
        if escalation.state == State.OFFERED
        for entry in paths.entries(case=case, handoff=case.current(escalation))
        if not entry.fired and entry.at > now
    ]


def _of_promise(case: Case, now: datetime) -> list[Coming]:
    promise = case.promise
    if promise is None or not promise.is_live or promise.due_at is None:
        return []
    person: User | None = promises.answers_for(case)
    moments = [
        Coming(at, "promise_warning", _("The promise falls due soon: warning"), str(person or ""))
        for at in promises.warning_moments(case, promise)
        if at > now
    ]
    if promise.due_at > now:
        moments.append(
            Coming(promise.due_at, "promise", _("The promise is due"), str(person or ""))
        )
    return moments


def _of_rules(
    case: Case, rules: Sequence[RuleExplanation], goes_to: dict[str, str], now: datetime
) -> list[Coming]:
    """The rule that would escalate next, if nothing but time passes."""
    candidates = [
        rule
        for rule in rules
        if not rule.holds and rule.skipped is None and rule.matches_from is not None
    ]
    if not candidates:
        return []
    first = min(candidates, key=lambda rule: rule.matches_from or now)
    if first.matches_from is None or first.matches_from <= now:
        return []
    return [
        Coming(
            first.matches_from,
            "rule",
            _("Escalates by the rule “%(rule)s”") % {"rule": first.rule.name},
            goes_to[first.rule.key],
        )
    ]


def skipped_because(rule: RuleExplanation) -> str:
    """Why a rule was not asked, in words; empty for one that was."""
    match rule.skipped:
        case Skip.ENDED:
            return _("the ticket is over")
        case Skip.ESCALATED:
            return _("an escalation of this kind is open")
        case Skip.FIRED:
            return _("it has done so before")
        case _:
            return ""
