"""A rule's reasons in plain words, in the reader's language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from escalation.conditions import Reason
from escalation.vocabulary import FACTS, Form
from staff.durations import DurationError, parse_duration

_FACTS = {
    "status": gettext_lazy("the status"),
    "priority": gettext_lazy("the priority"),
    "impact": gettext_lazy("the impact"),
    "urgency": gettext_lazy("the urgency"),
    "complexity": gettext_lazy("the complexity"),
    "category": gettext_lazy("the category"),
    "plan": gettext_lazy("the plan"),
    "organization": gettext_lazy("the organization"),
    "team": gettext_lazy("the team"),
    "tier": gettext_lazy("the tier"),
    "assignee": gettext_lazy("the assignee"),
    "tags": gettext_lazy("the tags"),
    "language": gettext_lazy("the language"),
    "channel": gettext_lazy("the channel"),
    "subject": gettext_lazy("the subject"),
    "text": gettext_lazy("what the customer wrote"),
    "reopened_count": gettext_lazy("times reopened"),
    "completeness": gettext_lazy("the completeness in percent"),
    "escalated": gettext_lazy("open escalations"),
    "times_escalated": gettext_lazy("times escalated"),
    "sender_verified": gettext_lazy("the sender is verified"),
    "asked_to_escalate": gettext_lazy("the customer's wish to escalate"),
    "unanswered_for": gettext_lazy("time without a reply"),
    "in_status_for": gettext_lazy("time in this status"),
    "age": gettext_lazy("time since it was opened"),
    "silent_for": gettext_lazy("time without a word to the customer"),
    "first_response_used": gettext_lazy("first-response target used"),
    "next_response_used": gettext_lazy("next-response target used"),
    "periodic_update_used": gettext_lazy("periodic-update target used"),
    "resolution_used": gettext_lazy("resolution target used"),
    "first_response_breached": gettext_lazy("the first-response target is breached"),
    "next_response_breached": gettext_lazy("the next-response target is breached"),
    "periodic_update_breached": gettext_lazy("the periodic-update target is breached"),
    "resolution_breached": gettext_lazy("the resolution target is breached"),
}
_SENTENCES = {
    "is": gettext_lazy("%(fact)s: wanted %(wanted)s, is %(actual)s"),
    "in": gettext_lazy("%(fact)s: wanted one of %(wanted)s, is %(actual)s"),
    "is_not": gettext_lazy("%(fact)s: wanted other than %(wanted)s, is %(actual)s"),
    "not_in": gettext_lazy("%(fact)s: wanted none of %(wanted)s, is %(actual)s"),
    "at_least": gettext_lazy("%(fact)s: wanted at least %(wanted)s, is %(actual)s"),
    "at_most": gettext_lazy("%(fact)s: wanted at most %(wanted)s, is %(actual)s"),
    "less_than": gettext_lazy("%(fact)s: wanted less than %(wanted)s, is %(actual)s"),
    "is_set": gettext_lazy("%(fact)s: wanted, is %(actual)s"),
    "is_not_set": gettext_lazy("%(fact)s: not wanted, is %(actual)s"),
    "contains": gettext_lazy("%(fact)s: wanted with “%(wanted)s”"),
    "matches": gettext_lazy("%(fact)s: wanted to match “%(wanted)s”"),
}


def sentence(reason: Reason) -> str:
    """What a condition asked for and what it found."""
    fact = FACTS.get(reason.fact)
    # Only where it is one: a tag may read “4h” as well.
    worded = _duration if fact is not None and fact.form == Form.LENGTH else _worded
    text = _SENTENCES[reason.op] % {
        "fact": _FACTS.get(reason.fact, reason.fact),
        "wanted": worded(reason.wanted),
        "actual": worded(reason.actual),
    }
    if reason.negated:
        text = _("not (%(condition)s)") % {"condition": text}
    return text[:1].upper() + text[1:]


def _worded(value: Any) -> str:
    if value is None:
        return _("not there")
    if value is True:
        return _("yes")
    if value is False:
        return _("no")
    if isinstance(value, list):
        return ", ".join(_worded(part) for part in value) or _("none")
    return str(value)


def _duration(value: Any) -> str:
    try:
        duration = parse_duration(value if isinstance(value, str) else "")
    except DurationError:
        return _worded(value)
    words = length(duration.length)
    return words if duration.wall else _("%(length)s of business time") % {"length": words}


def length(span: timedelta) -> str:
    """A length of time in whole minutes, such as “4 h 30 min”."""
    minutes = int(span.total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    if not minutes:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
