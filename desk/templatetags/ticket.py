"""What the ticket page says and sends: the engine's reasons in words, and each form's number."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from desk import once as sent
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


@register.filter
def called(key: str, names: Mapping[str, str]) -> str:
    """The name that goes with a key; the key itself where it has none."""
    return names.get(key, key)


@register.simple_tag
def once() -> SafeString:
    """A form's own number, by which sending it twice is known."""
    return format_html('<input type="hidden" name="{}" value="{}">', sent.FIELD, uuid4().hex)
