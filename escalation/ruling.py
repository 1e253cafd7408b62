"""The rules decide, and what they decide is carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from escalation import facts, opening, packages, targets
from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import Decision
from escalation.models.escalation import Kind, Nature, Trigger
from escalation.opening import Request
from escalation.packages import Materials
from escalation.rules import Rule, Verdict, decide
from staff import setwise

ROUNDS = 3
"""How often a ticket's own escalations may lead to another rule in one look."""


def apply(*, cases: Sequence[Case], ledger: Ledger) -> Mapping[int, datetime | None]:
    """Escalate what the rules say; returns, by ticket, when to ask them again."""
    ask_again: dict[int, datetime | None] = {}
    heard = facts.listen(cases)
    asked = list(cases)
    for round_ in range(ROUNDS + 1):
        verdicts = [
            (
                case,
                decide(
                    facts.facts_of(case, heard.get(case.ticket.pk, facts.NOTHING)),
                    case.policy.rules,
                    ledger.now,
                ),
            )
            for case in asked
        ]
        for case, verdict in verdicts:
            ask_again[case.ticket.pk] = verdict.ask_again_at
        matched = [(case, verdict) for case, verdict in verdicts if verdict.rule is not None]
        if not matched:
            break
        if round_ == ROUNDS:
            _stop(matched, ledger, ask_again)
            break
        materials = packages.collect([case.ticket for case, _verdict in matched])
        for case, verdict in matched:
            _carry_out(case, verdict, ledger, materials)
        asked = [case for case, _verdict in matched]
    return ask_again


def request_of(rule: Rule, case: Case) -> Request:
    """What a rule asks for; a rule is a person's words too: its name is the reason."""
    asked_for = rule.nature == Nature.ASKED
    return Request(
        kind=Kind(rule.kind),
        trigger=Trigger.CUSTOMER if asked_for else Trigger.RULE,
        nature=rule.nature,
        urgency=rule.urgency or case.ticket.urgency,
        reason=rule.name,
        rule_key=rule.key,
        path_key=rule.path,
    )


def _carry_out(case: Case, verdict: Verdict, ledger: Ledger, materials: Materials) -> None:
    rule = verdict.rule
    if rule is None:
        return
    escalation = opening.open_escalation(
        case=case,
        ledger=ledger,
        request=request_of(rule, case),
        destination=targets.choose(case=case, targets=verdict.targets),
        materials=materials,
    )
    ledger.add(
        setwise.new(
            Decision,
            ticket=case.ticket,
            escalation=escalation,
            at=ledger.now,
            rule_key=rule.key,
            policy_version=case.policy_version,
            reasons=[reason.to_json() for reason in verdict.reasons],
        )
    )
    case.fired[rule.key] = ledger.now


def _stop(
    matched: Sequence[tuple[Case, Verdict]],
    ledger: Ledger,
    ask_again: dict[int, datetime | None],
) -> None:
    """Rules that keep leading to one another: one line on the ticket, and a later look."""
    for case, verdict in matched:
        ledger.event(
            case.ticket, "rule_loop_stopped", rule=verdict.rule.key if verdict.rule else ""
        )
        ask_again[case.ticket.pk] = ledger.now + timedelta(hours=1)
