"""Whether what was written to the customer has reached them, and what is done where it has not.

A letter that bounced is owed again: the assignee learns of it at once, the escalation contacts of
the customer's own organization are written to in their place, never just anybody; and where there
is none, somebody has to phone.
"""

from __future__ import annotations

from escalation.cases import PASSED_ON, Case
from escalation.ledger import Ledger
from notifications import identity
from notifications.models import DeliveryEvent, DeliveryKind, OutgoingEmail
from notifications.outbox import Letter
from tickets.models import Contact, FollowUp
from tickets.models.followup import UNDELIVERED, FollowUpKind
from tickets.models.ticket import Status

#: Letters that tell when to expect something, or who works on it.
TELLING = frozenset({"escalated", "accepted", "update", "new_expected_time"})


def drive(*, case: Case, ledger: Ledger) -> None:
    """Bring the ticket to where its letters are."""
    standing = _standing(case)
    _mark_promise(case, ledger, standing)
    if standing and case.ticket.status != Status.CLOSED:
        _pass_on(case, ledger, standing)
        _remind(case, ledger, standing[-1])
    elif case.receipts:
        _settle(case, ledger, wanted=None)


def _standing(case: Case) -> list[DeliveryEvent]:
    """Letters to the requester that bounced, where nothing shows that they were told since."""
    reader = case.ticket.requester.email.lower()
    return [
        event
        for event in case.receipts
        if event.kind == DeliveryKind.BOUNCED
        and PASSED_ON not in event.email.dedupe_key
        and not (case.told_otherwise_at and case.told_otherwise_at >= event.at)
        and not any(
            later.recipient == reader and event.is_overcome_by(later) for later in case.receipts
        )
    ]


def _mark_promise(case: Case, ledger: Ledger, standing: list[DeliveryEvent]) -> None:
    promise = case.promise
    if promise is None:
        return
    untold = [event for event in standing if event.email.kind in TELLING]
    if untold and promise.not_told_since is None:
        ledger.change(promise, not_told_since=untold[0].at)
        ledger.event(case.ticket, "customer_not_told", number=promise.number)
    elif not untold and promise.not_told_since is not None:
        ledger.change(promise, not_told_since=None)
        ledger.event(case.ticket, "customer_told", number=promise.number)


def _pass_on(case: Case, ledger: Ledger, standing: list[DeliveryEvent]) -> None:
    """Write to the escalation contacts what the requester has not got, each of them once."""
    for event in standing:
        if event.email.kind in TELLING:
            for contact in case.deputies:
                letter = _letter(case, event.email, contact)
                if letter.dedupe_key not in case.passed_on:
                    ledger.forward(letter)


def _letter(case: Case, bounced: OutgoingEmail, contact: Contact) -> Letter:
    key = f"{bounced.dedupe_key}{PASSED_ON}{contact.pk}"
    return Letter(
        dedupe_key=key,
        template=bounced.kind,
        to_address=contact.email,
        to_name=contact.name,
        language=contact.language,
        zone=contact.zone,
        about=case.ticket.about,
        variables={**bounced.variables, "name": contact.first_name},
        message_id=identity.message_id(about=case.ticket.about, seed=key),
        reply_to=identity.reply_address(ticket_number=case.ticket.pk, contact_id=contact.pk),
    )


def _remind(case: Case, ledger: Ledger, newest: DeliveryEvent) -> None:
    """The assignee's follow-up, now: to phone where nobody can be written to."""
    kind = FollowUpKind.NOT_TOLD
    if not (case.deputies and newest.email.kind in TELLING):
        kind = FollowUpKind.PHONE
    key = f"{case.ticket.reference}:{kind}:{newest.pk}"
    if key in case.reminded or _settle(case, ledger, wanted=kind):
        return
    follow_up = FollowUp(
        ticket=case.ticket,
        kind=kind,
        key=key,
        due_at=ledger.now,
        created_at=ledger.now,
    )
    ledger.add(follow_up)
    case.follow_ups.append(follow_up)


def _settle(case: Case, ledger: Ledger, *, wanted: str | None) -> bool:
    """Drop what is not needed any more; says whether the one that is wanted stands already."""
    stands = False
    for follow_up in case.follow_ups:
        if follow_up.kind not in UNDELIVERED or not follow_up.is_open:
            continue
        if follow_up.kind == wanted:
            stands = True
        else:
            ledger.change(follow_up, dropped_at=ledger.now)
            ledger.recall(case.ticket, follow_up.key)
    return stands
