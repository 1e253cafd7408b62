"""The engine's reasons in words, for templates."""

from __future__ import annotations

from django import template

from escalation import explanation, reasons
from escalation.conditions import Reason
from escalation.rules import RuleExplanation

register = template.Library()


@register.filter
def reason(value: Reason) -> str:
    """What a condition asked for and what it found."""
    return reasons.sentence(value)


@register.filter
def skipped_because(rule: RuleExplanation) -> str:
    """Why a rule was not asked; empty for one that was."""
    return explanation.skipped_because(rule)
