"""The public names of what happens, as webhooks tell it: a promise to programs outside.

``kind`` is what the timeline above calls it, by word: nothing here knows tickets. A name that
was once published is not taken back, nor does it come to mean something else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from notifications.models import Preset


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One public name; ``meaning`` is for who subscribes, ``line`` for a chat channel."""

    name: str
    kind: str
    meaning: LazyText
    line: LazyText

    @property
    def family(self) -> str:
        return self.name.partition(".")[0]


def _type(name: str, kind: str, meaning: LazyText, line: LazyText) -> EventType:
    return EventType(name=name, kind=kind, meaning=meaning, line=line)


PING = "ping"
MAIL_FAILING = "mail.failing"
MAIL_RECOVERED = "mail.recovered"

EVENT_TYPES: tuple[EventType, ...] = (
    _type("ticket.opened", "ticket_opened", _("A customer opened a ticket."), _("new ticket")),
    _type(
        "ticket.assigned",
        "assigned",
        _("A ticket was given to an assignee, or to nobody."),
        _("assigned to %(to)s"),
    ),
    _type("ticket.moved", "moved", _("A ticket went to another team."), _("moved to %(to)s")),
    _type(
        "ticket.assessed",
        "assessed",
        _("Impact, urgency, complexity or category of a ticket were set."),
        _("assessed"),
    ),
    _type(
        "ticket.status_changed",
        "status_changed",
        _("A ticket has another status; also sent beside resolved, closed and reopened."),
        _("status: %(status)s"),
    ),
    _type(
        "ticket.resolved",
        "resolved",
        _("The assignee resolved the ticket."),
        _("resolved the ticket"),
    ),
    _type("ticket.closed", "closed", _("The ticket was closed."), _("closed the ticket")),
    _type(
        "ticket.reopened", "reopened", _("The ticket was opened again."), _("reopened the ticket")
    ),
    _type("ticket.snoozed", "snoozed", _("The ticket was put off."), _("snoozed the ticket")),
    _type("ticket.woken", "woken", _("A ticket that was put off is back."), _("woke the ticket")),
    _type(
        "ticket.labelled",
        "labelled",
        _("Tags, the customer's reference or the external work item were changed."),
        _("changed tags or references"),
    ),
    _type(
        "ticket.solution_confirmed",
        "solution_confirmed",
        _("The customer confirmed that it is solved."),
        _("confirmed that it is solved"),
    ),
    _type(
        "message.received",
        "message_received",
        _("The customer wrote again."),
        _("the customer wrote"),
    ),
    _type(
        "message.sent", "replied", _("The customer was answered."), _("the customer was answered")
    ),
    _type("message.noted", "noted", _("An internal note was written."), _("a note was written")),
    _type(
        "message.accepted",
        "message_accepted",
        _("A message of an unverified sender was accepted."),
        _("accepted a message of an unverified sender"),
    ),
    _type(
        "detail.found",
        "details_found",
        _("Required details were found in the conversation."),
        _("details were found"),
    ),
    _type("detail.set", "detail_set", _("A detail was written down."), _("detail added")),
    _type(
        "detail.asked",
        "details_asked",
        _("The customer was asked for details."),
        _("asked the customer for details"),
    ),
    _type(
        "detail.given", "details_given", _("The customer gave details."), _("details were given")
    ),
    _type(
        "escalation.asked",
        "escalation_asked",
        _("The customer asked to escalate."),
        _("the customer asks to escalate"),
    ),
    _type(
        "escalation.opened",
        "escalated",
        _("A ticket was escalated, by a person or by a rule."),
        _("escalated to %(to)s"),
    ),
    _type(
        "escalation.offered",
        "offered",
        _("An escalation was offered to another team or person."),
        _("offered to %(to)s"),
    ),
    _type(
        "escalation.accepted",
        "accepted",
        _("Somebody accepted the escalation and owns it."),
        _("accepted the escalation"),
    ),
    _type(
        "escalation.declined",
        "declined",
        _("The escalation was declined before it was accepted: it is returned."),
        _("declined the escalation"),
    ),
    _type(
        "escalation.sent_back",
        "sent_back",
        _("The escalation was sent back after it was accepted: it is returned."),
        _("sent the escalation back"),
    ),
    _type(
        "escalation.step_fired",
        "step_fired",
        _("Nobody has accepted yet: a step of the escalation path told somebody."),
        _("nobody has accepted yet"),
    ),
    _type(
        "escalation.reassigned",
        "reassigned",
        _("A lead gave the escalation to somebody."),
        _("gave the escalation to %(to)s"),
    ),
    _type(
        "escalation.resolved",
        "escalation_resolved",
        _("Its owner resolved the escalation; the ticket stays open."),
        _("resolved the escalation"),
    ),
    _type(
        "escalation.withdrawn",
        "withdrawn",
        _("Who escalated took the escalation back."),
        _("withdrew the escalation"),
    ),
    _type(
        "escalation.de_escalated",
        "de_escalated",
        _("A lead ended the escalation, since the need is gone."),
        _("de-escalated"),
    ),
    _type(
        "escalation.reviewed",
        "escalation_reviewed",
        _("A lead looked at an escalation afterwards."),
        _("reviewed the escalation"),
    ),
    _type(
        "promise.made",
        "promised",
        _("The customer was told a time."),
        _("the customer was told a time"),
    ),
    _type("promise.kept", "promise_kept", _("A promise was kept."), _("promise kept")),
    _type("promise.broken", "promise_broken", _("A promise was broken."), _("promise broken")),
    _type(
        "promise.replaced",
        "promise_replaced",
        _("A newer promise stands instead of one."),
        _("a new time was promised"),
    ),
    _type(
        "promise.suspended",
        "promise_suspended",
        _("A promise waits for the customer."),
        _("the promise waits for the customer"),
    ),
    _type(
        "promise.resumed",
        "promise_resumed",
        _("The customer answered, and a promise counts again."),
        _("the customer answered; the promise counts again"),
    ),
    _type(
        "promise.warned",
        "promise_warned",
        _("A promise falls due soon."),
        _("warned: the promise falls due soon"),
    ),
    _type(
        "promise.restored",
        "promise_restored",
        _("The promise before stands again, since a newer one was taken back."),
        _("the time promised before stands again"),
    ),
    _type(
        "promise.withdrawn",
        "promise_withdrawn",
        _("A promise was taken back with its letter."),
        _("promise withdrawn"),
    ),
    _type(
        "clock.breached",
        "clock_breached",
        _("A target of the SLA was missed."),
        _("a target was breached"),
    ),
    _type(
        "customer.not_told",
        "customer_not_told",
        _("The letter of a promise came back: the customer does not know."),
        _("the customer was not told"),
    ),
    _type(
        "customer.told",
        "customer_told",
        _("A customer who was not told can be taken to know now."),
        _("the customer can be taken to know"),
    ),
    _type("delivery.failed", "delivery_failed", _("A letter came back."), _("a letter came back")),
    _type("delivery.delayed", "delivery_delayed", _("A letter is late."), _("a letter is delayed")),
    _type(
        "delivery.complained",
        "delivery_complained",
        _("A letter was reported as unwanted."),
        _("a letter was reported as unwanted"),
    ),
    _type(
        "delivery.succeeded",
        "delivery_succeeded",
        _("A letter arrived after one that did not."),
        _("a letter arrived again"),
    ),
    _type(
        "follow_up.added", "follow_up_added", _("A follow-up was added."), _("added a follow-up")
    ),
    _type(
        "follow_up.fired",
        "follow_up_fired",
        _("A follow-up fell due and reminded somebody."),
        _("follow-up: reminded"),
    ),
    _type("follow_up.done", "follow_up_done", _("A follow-up was done."), _("did a follow-up")),
    _type(
        MAIL_FAILING,
        MAIL_FAILING,
        _("Letters are due and none goes out; told once."),
        _("mail fails: letters are due and none goes out"),
    ),
    _type(
        MAIL_RECOVERED,
        MAIL_RECOVERED,
        _("Letters go out again."),
        _("mail works again: letters go out"),
    ),
)

BY_KIND: Mapping[str, EventType] = {each.kind: each for each in EVENT_TYPES}
BY_NAME: Mapping[str, EventType] = {each.name: each for each in EVENT_TYPES}
FAMILIES: Mapping[str, tuple[EventType, ...]] = {
    family: tuple(types) for family, types in groupby(EVENT_TYPES, key=lambda each: each.family)
}

#: What stands on a timeline and is nobody's business outside.
KEPT_INSIDE = frozenset(
    {
        "address_verified",
        "call_taken",
        "muted",
        "policy_applied",
        "rule_loop_stopped",
        "ticked",
        "training_overridden",
        "unmuted",
        "unticked",
    }
)

_FOR_PROGRAMS = ("ticket.*", "message.*", "escalation.*", "promise.*")
#: A channel is for what somebody should look at.
_FOR_CHANNELS = (
    "escalation.*",
    "promise.warned",
    "promise.broken",
    "clock.breached",
    "customer.not_told",
    "mail.*",
)


def suggested(preset: str) -> list[str]:
    """What a new webhook is subscribed to unless somebody says otherwise."""
    return list(_FOR_PROGRAMS if preset == Preset.STANDARD else _FOR_CHANNELS)


def subscribable() -> frozenset[str]:
    """Every name one may subscribe to, families (``ticket.*``) included."""
    return frozenset({*BY_NAME, *(f"{family}.*" for family in FAMILIES)})


def covers(subscribed: Collection[str], name: str) -> bool:
    """Whether these subscriptions, families included, take this event in."""
    return name in subscribed or f"{name.partition('.')[0]}.*" in subscribed


def tidied(subscribed: Iterable[str]) -> list[str]:
    """Without what a family covers already, in the order of the catalogue."""
    wanted = set(subscribed)
    kept: list[str] = []
    for family, types in FAMILIES.items():
        if f"{family}.*" in wanted:
            kept.append(f"{family}.*")
        else:
            kept += [each.name for each in types if each.name in wanted]
    return kept
