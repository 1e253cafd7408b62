"""Decisions: every one that was made by a rule can be explained afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext_lazy as _

from desk.selfcheck.checks import SAMPLE, Check, Look, Noun, Row, Severity, query
from escalation.conditions import Condition, Leaf, Not, Reason, Several
from escalation.models import Decision

EXPLAINED = 10 * SAMPLE
"""Decisions that are made again from their facts, unless the check is deep: the newest."""


def _unexplained(look: Look) -> Iterator[Row]:
    """Decisions whose reasons are not those of their rule, or do not make it hold."""
    newest = Decision.objects.order_by("-pk").select_related("policy_version")
    decisions = newest if look.deep else newest[:EXPLAINED]
    rules: dict[tuple[int, str], Condition | None] = {}
    for decision in decisions.iterator(chunk_size=1000):
        key = (decision.policy_version_id, decision.rule_key)
        if key not in rules:
            rules[key] = next(
                (r.when for r in decision.policy_version.spec.rules if r.key == decision.rule_key),
                None,
            )
        if not _follows(rules[key], decision):
            yield Row(str(decision.pk), decision.ticket_id)


Answers = Mapping[tuple[str, str, str], bool]
"""What was found: whether it holds, by the place in the condition, the fact and the operator."""


class _Unanswered(Exception):
    """A part of the condition for which no answer was kept."""


def _follows(condition: Condition | None, decision: Decision) -> bool:
    if condition is None:
        return False
    try:
        reasons = [Reason.from_json(reason) for reason in decision.reasons]
        answers = {(each.path, each.fact, each.op): each.holds for each in reasons}
        return _holds(condition, answers, "")
    except (_Unanswered, TypeError, ValueError):
        return False


def _holds(condition: Condition, answers: Answers, path: str) -> bool:
    """What the condition comes to with the answers that were found."""
    match condition:
        case Leaf():
            answer = answers.get((path, condition.fact, condition.op))
            if answer is None:
                raise _Unanswered
            return answer
        case Not():
            return not _holds(condition.part, answers, _joined(path, "not"))
        case Several():
            found = [
                _holds(part, answers, _joined(path, f"{condition.word}[{number}]"))
                for number, part in enumerate(condition.parts)
            ]
            return all(found) if condition.word == "all" else any(found)


def _joined(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


CHECKS = (
    Check(
        name="decision-made",
        promise=_(
            "Whatever a rule escalates has its decision, with the rule, its reasons and versions."
        ),
        counts=_("Escalations by rule without a decision or its reasons."),
        severity=Severity.TODAY,
        noun=Noun.ESCALATION,
        find=query(
            "SELECT e.id, e.ticket_id FROM escalation_escalation e"
            " LEFT JOIN escalation_decision d ON d.escalation_id = e.id WHERE e.rule_key <> ''"
            " AND (d.id IS NULL OR d.reasons = '[]' OR d.rule_key <> e.rule_key) ORDER BY e.id"
        ),
    ),
    Check(
        name="decision-explained",
        promise=_("Every automatic decision can be explained afterwards."),
        counts=_("Decisions, of the newest, that do not follow from their facts by their rule."),
        severity=Severity.TODAY,
        noun=Noun.DECISION,
        find=_unexplained,
    ),
)
