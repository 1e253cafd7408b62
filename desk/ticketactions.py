"""What can be done on the ticket page: a form, the station it calls, and the word for having done it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.forms import Form
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from desk import escalationforms, ticketforms
from escalation import (
    asking,
    checklist,
    endings,
    leading,
    lifecycle,
    returning,
    reviewing,
    updates,
    withdrawing,
)
from escalation.models.escalation import ReturnReason
from staff.models import User
from tickets import calls, conversation, followups, gathering, snoozing, triage
from tickets.gathering import Gathered
from tickets.models import Ticket
from tickets.models.followup import FollowUpKind

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TicketAction:
    """``make`` gives the form, empty or with what was sent.

    With a ``label`` its form is shown when it is asked for; without, it stands in the page.
    """

    make: Callable[[QueryDict | None, Ticket, Gathered], Form]
    do: Callable[[int, Data, datetime, User], object]
    done: LazyText
    label: LazyText | str = ""
    icon: str = ""
    #: Whether it is what one comes for, and the single key that opens it.
    primary: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class EscalationAction:
    """As ``TicketAction``; ``do`` takes the escalation's id."""

    make: Callable[[QueryDict | None, Gathered], Form]
    do: Callable[[int, Data, datetime, User], object]
    done: LazyText
    label: LazyText | str = ""
    icon: str = ""
    primary: bool = False
    key: str = ""


def _plain(form: type[Form]) -> Callable[[QueryDict | None, Ticket, Gathered], Form]:
    return lambda sent, _ticket, _gathered: form(sent)


def _assess_form(sent: QueryDict | None, ticket: Ticket, _gathered: Gathered) -> Form:
    return ticketforms.AssessForm(
        sent,
        initial={
            "impact": ticket.impact,
            "urgency": ticket.urgency,
            "complexity": ticket.complexity,
            "category": ticket.category_id,
            "version": ticket.version,
        },
    )


def _assign_form(sent: QueryDict | None, ticket: Ticket, _gathered: Gathered) -> Form:
    return ticketforms.AssignForm(
        sent, initial={"assignee": ticket.assignee_id, "version": ticket.version}
    )


def _move_form(sent: QueryDict | None, ticket: Ticket, _gathered: Gathered) -> Form:
    return ticketforms.MoveForm(sent, initial={"team": ticket.team_id, "version": ticket.version})


def _status_form(sent: QueryDict | None, ticket: Ticket, _gathered: Gathered) -> Form:
    return ticketforms.StatusForm(
        sent, initial={"status": ticket.status, "version": ticket.version}
    )


def _assess(ticket_id: int, data: Data, now: datetime, by: User) -> None:
    triage.assess(
        ticket_id=ticket_id,
        impact=data["impact"],
        urgency=data["urgency"],
        complexity=data["complexity"],
        category_id=data["category"].pk if data["category"] else None,
        now=now,
        by=by,
    )


def _assign(ticket_id: int, data: Data, now: datetime, by: User) -> None:
    assignee = data["assignee"]
    triage.assign(
        ticket_id=ticket_id, assignee_id=assignee.pk if assignee else None, now=now, by=by
    )


def _follow_up(ticket_id: int, data: Data, now: datetime, by: User) -> None:
    followups.add(
        ticket_id=ticket_id,
        kind=FollowUpKind.BY_HAND,
        key=f"HD-{ticket_id}:by-hand:{now.timestamp():.6f}:{by.pk}",
        due_at=data["due_at"],
        now=now,
        by=by,
        user_id=data["user"].pk if data["user"] else None,
        text=data["text"],
        every=data["every"],
    )


MORNING = time(9)


def _snooze(ticket_id: int, data: Data, now: datetime, by: User) -> None:
    """A usual time is one of the reader's own zone; an own time counts where one is given."""
    until = data["until"]
    if until is None:
        here = timezone.localtime(now)
        days = {"tomorrow": 1, "monday": 7 - here.weekday()}.get(data["usual"])
        until = (
            now + timedelta(hours=4)
            if days is None
            else timezone.make_aware(datetime.combine(here.date() + timedelta(days=days), MORNING))
        )
    snoozing.snooze(ticket_id=ticket_id, until=until, reason=data["reason"], now=now, by=by)


ON_TICKET: Mapping[str, TicketAction] = {
    "reply": TicketAction(
        _plain(ticketforms.ReplyForm),
        lambda pk, data, now, by: conversation.reply(
            ticket_id=pk, text=data["text"], status=data["status"], now=now, by=by
        ),
        _("Sent. It leaves in ten seconds."),
    ),
    "note": TicketAction(
        _plain(ticketforms.NoteForm),
        lambda pk, data, now, by: conversation.note(
            ticket_id=pk, text=data["text"], now=now, by=by
        ),
        _("Noted."),
    ),
    "call": TicketAction(
        _plain(ticketforms.CallNoteForm),
        lambda pk, data, now, by: calls.append(ticket_id=pk, text=data["text"], now=now, by=by),
        _("The call is kept, as the customer's words."),
        label=_("They called"),
        icon="phone",
    ),
    "assess": TicketAction(
        _assess_form,
        _assess,
        _("Assessed."),
        label=_("Assess"),
        icon="gauge",
    ),
    "assign": TicketAction(
        _assign_form,
        _assign,
        _("Assigned."),
        label=_("Assign"),
        icon="user-check",
    ),
    "move": TicketAction(
        _move_form,
        lambda pk, data, now, by: triage.move(
            ticket_id=pk, team_id=data["team"].pk, now=now, by=by
        ),
        _("Moved."),
        label=_("Move"),
        icon="users",
    ),
    "status": TicketAction(
        _status_form,
        lambda pk, data, now, by: triage.set_status(
            ticket_id=pk, status=data["status"], now=now, by=by
        ),
        _("Status changed."),
        label=_("Status"),
        icon="progress",
    ),
    "detail": TicketAction(
        _plain(ticketforms.DetailForm),
        lambda pk, data, now, by: gathering.set_detail(
            ticket_id=pk, key=data["key"], value=data["value"], now=now, by=by
        ),
        _("Detail kept."),
    ),
    "ask": TicketAction(
        lambda sent, _ticket, gathered: ticketforms.AskForm(sent, gathered=gathered),
        lambda pk, data, now, by: asking.ask(ticket_id=pk, keys=data["keys"], now=now, by=by),
        _("The customer is asked."),
    ),
    "follow-up": TicketAction(
        _plain(ticketforms.FollowUpForm),
        _follow_up,
        _("Follow-up added."),
        label=_("Add a follow-up"),
        icon="bell-plus",
    ),
    "update": TicketAction(
        _plain(ticketforms.UpdateForm),
        lambda pk, data, now, by: updates.update(ticket_id=pk, now=now, by=by, **data),
        _("The customer is told."),
        label=_("Send update"),
        icon="mail-forward",
    ),
    "new-time": TicketAction(
        _plain(ticketforms.NewTimeForm),
        lambda pk, data, now, by: updates.new_expected_time(ticket_id=pk, now=now, by=by, **data),
        _("The customer is told the new time."),
        label=_("New time"),
        icon="calendar-time",
    ),
    "snooze": TicketAction(
        _plain(ticketforms.SnoozeForm),
        _snooze,
        _("Snoozed; the customer's next word wakes it."),
        label=_("Snooze"),
        icon="zzz",
        key="h",
    ),
    "unsnooze": TicketAction(
        _plain(Form),
        lambda pk, _data, now, by: snoozing.unsnooze(ticket_id=pk, now=now, by=by),
        _("Awake again."),
    ),
    "resolve": TicketAction(
        _plain(ticketforms.ResolveForm),
        lambda pk, data, now, by: endings.resolve(ticket_id=pk, now=now, by=by, **data),
        _("Resolved; the customer is asked to check."),
        label=_("Resolve"),
        icon="circle-check",
        primary=True,
    ),
    "close": TicketAction(
        _plain(Form),
        lambda pk, _data, now, by: endings.close(ticket_id=pk, now=now, by=by),
        _("Closed."),
    ),
    "reopen": TicketAction(
        _plain(Form),
        lambda pk, _data, now, by: endings.reopen(ticket_id=pk, now=now, by=by),
        _("Open again."),
    ),
}


def _id(row: User | None) -> int | None:
    return row.pk if row is not None else None


def _return(
    station: Callable[..., object],
) -> Callable[[int, Data, datetime, User], object]:
    return lambda pk, data, now, by: station(
        escalation_id=pk,
        reason_code=ReturnReason(data["reason_code"]),
        reason=data["reason"],
        missing=data["missing"],
        now=now,
        by=by,
    )


def _hand_on(pk: int, data: Data, now: datetime, by: User) -> None:
    lifecycle.hand_on(
        escalation_id=pk,
        team_id=data["team"].pk,
        user_id=_id(data["user"]),
        note=data["note"],
        now=now,
        by=by,
    )


def _offer_again(pk: int, data: Data, now: datetime, by: User) -> None:
    lifecycle.offer_again(
        escalation_id=pk,
        team_id=data["team"].pk,
        user_id=_id(data["user"]),
        note=data["note"],
        override_reason=data["override_reason"],
        training_override=data["training_override"],
        now=now,
        by=by,
    )


ON_ESCALATION: Mapping[str, EscalationAction] = {
    "accept": EscalationAction(
        lambda sent, _gathered: escalationforms.AcceptForm(sent),
        lambda pk, data, now, by: lifecycle.accept(escalation_id=pk, now=now, by=by, **data),
        _("It is yours; the customer is told."),
        label=_("Accept"),
        icon="circle-check",
        primary=True,
    ),
    "decline": EscalationAction(
        lambda sent, gathered: escalationforms.ReturnForm(sent, gathered=gathered),
        _return(returning.decline),
        _("Declined; it is back with the assignee."),
        label=_("Decline"),
        icon="circle-x",
    ),
    "send-back": EscalationAction(
        lambda sent, gathered: escalationforms.ReturnForm(sent, gathered=gathered),
        _return(returning.send_back),
        _("Sent back to the assignee."),
        label=_("Send back"),
        icon="arrow-back-up",
    ),
    "hand-on": EscalationAction(
        lambda sent, _gathered: escalationforms.HandOnForm(sent),
        _hand_on,
        _("Handed on."),
        label=_("Hand on"),
        icon="arrow-right",
    ),
    "offer-again": EscalationAction(
        lambda sent, _gathered: escalationforms.OfferAgainForm(sent),
        _offer_again,
        _("Offered again."),
        label=_("Offer again"),
        icon="arrow-bar-to-up",
        primary=True,
    ),
    "resolve": EscalationAction(
        lambda sent, _gathered: ticketforms.ResolveForm(sent),
        lambda pk, data, now, by: lifecycle.resolve(escalation_id=pk, now=now, by=by, **data),
        _("The escalation is resolved; the assignee confirms with the customer."),
        label=_("Resolve the escalation"),
        icon="checks",
        primary=True,
    ),
    "undo": EscalationAction(
        lambda sent, _gathered: Form(sent),
        lambda pk, _data, now, by: withdrawing.withdraw(escalation_id=pk, now=now, by=by),
        _("Undone: the escalation is withdrawn."),
    ),
    "withdraw": EscalationAction(
        lambda sent, _gathered: escalationforms.ReasonForm(sent),
        lambda pk, data, now, by: withdrawing.withdraw(escalation_id=pk, now=now, by=by, **data),
        _("Withdrawn; who was asked is told."),
        label=_("Withdraw"),
        icon="arrow-bar-to-down",
    ),
    "de-escalate": EscalationAction(
        lambda sent, _gathered: escalationforms.ReasonForm(sent),
        lambda pk, data, now, by: withdrawing.de_escalate(escalation_id=pk, now=now, by=by, **data),
        _("De-escalated; who was asked is told."),
        label=_("De-escalate"),
        icon="arrow-down-circle",
    ),
    "accept-for": EscalationAction(
        lambda sent, _gathered: escalationforms.AcceptForForm(sent),
        lambda pk, data, now, by: leading.accept_for(
            escalation_id=pk,
            owner_id=data["owner"].pk,
            first_step=data["first_step"],
            training_override=data["training_override"],
            now=now,
            by=by,
        ),
        _("Accepted for them; they and the customer are told."),
        label=_("Accept for…"),
        icon="user-check",
    ),
    "reassign": EscalationAction(
        lambda sent, _gathered: escalationforms.OwnerForm(sent),
        lambda pk, data, now, by: leading.reassign(
            escalation_id=pk, owner_id=data["owner"].pk, now=now, by=by
        ),
        _("Reassigned; both are told."),
        label=_("Reassign"),
        icon="user-share",
    ),
    "review": EscalationAction(
        lambda sent, _gathered: escalationforms.ReviewForm(sent),
        lambda pk, data, now, by: reviewing.review(escalation_id=pk, now=now, by=by, **data),
        _("Reviewed."),
        label=_("Review"),
        icon="eye-check",
    ),
    "tick": EscalationAction(
        lambda sent, _gathered: escalationforms.TickForm(sent),
        lambda pk, data, now, by: checklist.tick(escalation_id=pk, now=now, by=by, **data),
        _("Checklist kept."),
    ),
}
