"""Letters to customers: which template, with which variables, under which key.

Nothing is rendered here: a letter is queued in the transaction of what caused it, and the
mail worker puts the words together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from escalation.models import Escalation, Handoff, Promise
from escalation.models.escalation import Kind
from notifications import identity
from notifications.outbox import Letter
from notifications.phrases import spoken
from notifications.values import Value, duration, moment, phrase
from staff.durations import Duration
from staff.models import User
from tickets.addressing import Addressing, addressing_many
from tickets.models import Message, RequiredDetail, Ticket


@dataclass(slots=True, kw_only=True)
class LetterDraft:
    """A letter to a ticket's requester, before it is known where and how they are written to.

    ``promise`` is the promise whose time the letter tells, ``message`` what it stands as in
    the conversation.
    """

    ticket: Ticket
    template: str
    key: str
    variables: Mapping[str, Value] = field(default_factory=dict)
    missing: Sequence[RequiredDetail] = ()
    promise: Promise | None = None
    message: Message | None = None
    automatic: bool = True
    not_before: datetime | None = None

    @property
    def is_muted(self) -> bool:
        """Whether its reader has asked not to be sent it: who has the work, and how it goes.

        Whatever changes a time, ends something or asks for something is always sent.
        """
        tells_a_time = self.promise is not None and self.promise._state.adding
        return (
            self.ticket.muted and self.template in MUTED and not self.missing and not tells_a_time
        )


MUTED = frozenset({"accepted", "update"})
UNDO = timedelta(seconds=10)


def compose(drafts: Sequence[LetterDraft]) -> list[Letter]:
    """Address the drafts, in a fixed number of queries however many they are."""
    addressings = addressing_many(tickets=[draft.ticket for draft in drafts])
    return [_letter(draft, addressings[draft.ticket.pk]) for draft in drafts]


def variables_of(draft: LetterDraft, to: Addressing) -> dict[str, Value]:
    """Everything the template may say, for this recipient."""
    variables: dict[str, Value] = {
        "name": to.first_name,
        "ref": to.ref,
        "link": to.link,
        **draft.variables,
    }
    if draft.template in _WITH_AGENT:
        variables.setdefault("agent", to.agent)
    if draft.template in _WITH_NEED:
        variables["need"] = _need(draft.missing, to.language)
    return variables


_WITH_AGENT = {"escalated", "accepted", "update", "new_expected_time", "resolved"}
_WITH_NEED = {"accepted", "escalated", "update"}


def _need(missing: Sequence[RequiredDetail], language: str) -> Value:
    if not missing:
        return phrase("nothing_needed")
    return phrase("please_send", missing=[detail.label_in(language) for detail in missing])


def _letter(draft: LetterDraft, to: Addressing) -> Letter:
    return Letter(
        dedupe_key=draft.key,
        template=draft.template,
        to_address=to.to_address,
        to_name=to.to_name,
        language=to.language,
        zone=to.zone,
        about=draft.ticket.about,
        variables=variables_of(draft, to),
        message_id=identity.message_id(about=draft.ticket.about, seed=draft.key),
        reply_to=to.reply_to,
        in_reply_to=to.in_reply_to,
        references=to.references,
        thread_subject=to.thread_subject,
        withheld=to.withheld,
        merges=True,
        automatic=draft.automatic,
        not_before=draft.not_before,
    )


def received(*, ticket: Ticket, due: datetime) -> LetterDraft:
    """“We have your request”, with the time of the first response."""
    return LetterDraft(
        ticket=ticket,
        template="received",
        key=f"{ticket.reference}:received",
        variables={"due": moment(due)},
    )


def detail_needed(
    *, ticket: Ticket, asked: Sequence[RequiredDetail], target: Duration, now: datetime, by: User
) -> LetterDraft:
    """“A detail we need from you”, with how soon we write once it is here."""
    return LetterDraft(
        ticket=ticket,
        template="detail_needed",
        key=f"{ticket.reference}:asked:{now:%Y%m%dT%H%M%S.%f}",
        variables={
            "missing": [detail.label_in(spoken(ticket.requester.language)) for detail in asked],
            "target": duration(target.length, business=not target.wall),
            "agent": by.name,
        },
        automatic=False,
        not_before=now + UNDO,
    )


def escalated(
    *,
    escalation: Escalation,
    ticket: Ticket,
    handoff: Handoff,
    promise: Promise,
    missing: Sequence[RequiredDetail] = (),
    note: str = "",
    not_before: datetime | None = None,
) -> LetterDraft:
    """“With Tier 2: reply expected by …”."""
    return LetterDraft(
        ticket=ticket,
        template="escalated",
        key=f"{escalation.key}:escalated",
        variables={
            "tier": handoff.to_team.tier.name
            if escalation.kind == Kind.FUNCTIONAL
            else phrase("a_team_lead"),
            "team": handoff.to_team.name,
            "due": moment(promise.due_at),
            "note": note,
        },
        missing=missing,
        promise=promise,
        not_before=not_before,
    )


def accepted(
    *,
    escalation: Escalation,
    ticket: Ticket,
    handoff: Handoff,
    owner: User,
    due: datetime | None,
    first_step: Value,
    missing: Sequence[RequiredDetail] = (),
) -> LetterDraft:
    """“… is working on it”; ``missing`` is what the customer was asked for and still owes."""
    return LetterDraft(
        ticket=ticket,
        template="accepted",
        key=f"{escalation.key}:accepted:{handoff.number}",
        variables={
            "owner": owner.name,
            "team": handoff.to_team.name,
            "due": moment(due),
            "first_step": first_step,
        },
        missing=missing,
    )


def update(
    *,
    ticket: Ticket,
    promise: Promise | None,
    key: str,
    headline: str,
    text: str,
    known: str,
    next_step: str,
    workaround: str,
    missing: Sequence[RequiredDetail] = (),
) -> LetterDraft:
    """“Update: …”, with the time of the next word."""
    return LetterDraft(
        ticket=ticket,
        template="update",
        key=key,
        variables={
            "headline": headline,
            "update": text,
            "known": known,
            "next": next_step,
            "workaround": workaround,
            "due": moment(promise.due_at if promise else None),
        },
        missing=missing,
        promise=promise,
        automatic=False,
    )


def new_expected_time(
    *, ticket: Ticket, promise: Promise, old_due: datetime | None, reason: str, done: str
) -> LetterDraft:
    """“New expected time: …”."""
    return LetterDraft(
        ticket=ticket,
        template="new_expected_time",
        key=f"{promise.key}:told",
        variables={
            "new_due": moment(promise.due_at),
            "old_due": moment(old_due),
            "reason": reason,
            "done": done,
        },
        promise=promise,
    )


def resolved(*, ticket: Ticket, outcome: str, cause: str, reopen_until: datetime) -> LetterDraft:
    """“Resolved: please check”."""
    return LetterDraft(
        ticket=ticket,
        template="resolved",
        key=f"{ticket.reference}:resolved:{ticket.reopened_count}",
        variables={
            "outcome": outcome,
            "cause": cause,
            "reopen_until": moment(reopen_until),
        },
    )


def closed(*, ticket: Ticket) -> LetterDraft:
    """“Closed”."""
    return LetterDraft(
        ticket=ticket,
        template="closed",
        key=f"{ticket.reference}:closed:{ticket.reopened_count}",
        variables={"outcome": ticket.outcome},
    )
