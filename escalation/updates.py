"""Word for the customer while an escalation is on its way: an update, or a new expected time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from escalation import letters, promises
from escalation.cases import Case, open_case
from escalation.ledger import Ledger
from escalation.models import Promise
from escalation.models.promise import PromiseKind, PromiseState
from staff.models import User
from tickets import conversation
from tickets.errors import Refused


@transaction.atomic
def update(
    *,
    ticket_id: int,
    headline: str,
    text: str,
    known: str = "",
    next_step: str = "",
    workaround: str = "",
    next_word_by: datetime | None = None,
    now: datetime,
    by: User,
) -> None:
    """Write the customer how things stand, and when the next word comes.

    It keeps the live promise, unless a *resolution* was promised: that one stays. Without
    ``next_word_by`` no new time is promised. Raises ``Refused`` naming the field.
    """
    case, ledger = open_case(ticket_id=ticket_id, now=now, by=by)
    if case.ticket.is_ended:
        raise Refused(_("%(ref)s is over; reopen it first.") % {"ref": case.ticket.reference})
    headline, text = " ".join(headline.split()), text.strip()
    if not headline:
        raise Refused(_("Say in a few words what is new."), field="headline")
    if not text:
        raise Refused(_("Write the update."), field="text")
    if next_word_by is not None and next_word_by <= now:
        raise Refused(_("The next word has to lie ahead."), field="next_word_by")
    message = conversation.public_word(ticket=case.ticket, text=text, now=now, by=by)
    letter = letters.update(
        ticket=case.ticket,
        promise=_next_promise(case, ledger, next_word_by),
        key=f"{case.ticket.reference}:update:{message.pk}",
        headline=headline,
        text=text,
        known=known.strip(),
        next_step=next_step.strip(),
        workaround=workaround.strip(),
    )
    letter.message = message
    ledger.letter(letter)
    ledger.flush(ring=True)


@transaction.atomic
def new_expected_time(
    *, ticket_id: int, due: datetime, reason: str, done: str = "", now: datetime, by: User
) -> Promise:
    """Tell the customer another time before the old one breaks, or after it broke.

    The policy caps how often that may happen; past the cap only a lead can. Raises
    ``Refused`` naming the field.
    """
    case, ledger = open_case(ticket_id=ticket_id, now=now, by=by)
    before = case.promise
    if before is None or before.state not in (PromiseState.OPEN, PromiseState.BROKEN):
        raise Refused(_("No time stands that could be replaced."))
    if not reason.strip():
        raise Refused(_("Say why it takes longer."), field="reason")
    if due <= now:
        raise Refused(_("The new time has to lie ahead."), field="due")
    if due == before.due_at:
        raise Refused(_("This is the time the customer was told already."), field="due")
    if before.slips >= case.policy.promises.max_slips and not by.is_lead:
        raise Refused(
            _("The time has been moved %(count)s times; only a lead can move it again.")
            % {"count": before.slips},
            field="due",
        )
    promise = promises.make(
        case=case,
        ledger=ledger,
        kind=PromiseKind(before.kind),
        due=due,
        target=before.target,
        escalation=next((e for e in case.escalations if e.pk == before.escalation_id), None),
        reason=reason.strip(),
    )
    ledger.letter(
        letters.new_expected_time(
            ticket=case.ticket,
            promise=promise,
            old_due=before.due_at or before.broken_at,
            reason=reason.strip(),
            done=done.strip(),
        )
    )
    ledger.flush(ring=True)
    return promise


def _next_promise(case: Case, ledger: Ledger, next_word_by: datetime | None) -> Promise | None:
    """What is promised after this word; the letter names it."""
    before = case.promise
    if before is not None and before.is_live and before.kind == PromiseKind.RESOLUTION:
        return before
    promises.keep(case=case, ledger=ledger, at=ledger.now)
    if next_word_by is None:
        return None
    escalation = next(iter(case.open_escalations), None)
    return promises.make(
        case=case,
        ledger=ledger,
        kind=PromiseKind.UPDATE,
        due=next_word_by,
        escalation=escalation,
    )
