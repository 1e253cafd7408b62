"""What can be done with an escalation on its ticket's page, by the last part of its address.

``do`` takes the escalation's id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.forms import Form
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from desk import escalationforms, ticketforms
from desk.actions import Action, Data, Station, plain
from escalation import checklist, leading, lifecycle, returning, reviewing, withdrawing
from escalation.models.escalation import ReturnReason
from staff.models import User
from tickets.gathering import Gathered
from tickets.models import Ticket


def _id(row: User | None) -> int | None:
    return row.pk if row is not None else None


def _return_form(sent: QueryDict | None, _ticket: Ticket, gathered: Gathered) -> Form:
    return escalationforms.ReturnForm(sent, gathered=gathered)


def _return(station: Callable[..., object]) -> Station:
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


ON_ESCALATION: Mapping[str, Action] = {
    "accept": Action(
        plain(escalationforms.AcceptForm),
        lambda pk, data, now, by: lifecycle.accept(escalation_id=pk, now=now, by=by, **data),
        _("It is yours; the customer is told."),
        label=_("Accept"),
        icon="circle-check",
        primary=True,
    ),
    "decline": Action(
        _return_form,
        _return(returning.decline),
        _("Declined; it is back with the assignee."),
        label=_("Decline"),
        icon="circle-x",
    ),
    "send-back": Action(
        _return_form,
        _return(returning.send_back),
        _("Sent back to the assignee."),
        label=_("Send back"),
        icon="arrow-back-up",
    ),
    "hand-on": Action(
        plain(escalationforms.HandOnForm),
        _hand_on,
        _("Handed on."),
        label=_("Hand on"),
        icon="arrow-right",
    ),
    "offer-again": Action(
        plain(escalationforms.OfferAgainForm),
        _offer_again,
        _("Offered again."),
        label=_("Offer again"),
        icon="arrow-bar-to-up",
        primary=True,
    ),
    "resolve": Action(
        plain(ticketforms.ResolveForm),
        lambda pk, data, now, by: lifecycle.resolve(escalation_id=pk, now=now, by=by, **data),
        _("The escalation is resolved; the assignee confirms with the customer."),
        label=_("Resolve the escalation"),
        icon="checks",
        primary=True,
    ),
    "undo": Action(
        plain(Form),
        lambda pk, _data, now, by: withdrawing.withdraw(escalation_id=pk, now=now, by=by),
        _("Undone: the escalation is withdrawn."),
    ),
    "withdraw": Action(
        plain(escalationforms.ReasonForm),
        lambda pk, data, now, by: withdrawing.withdraw(escalation_id=pk, now=now, by=by, **data),
        _("Withdrawn; who was asked is told."),
        label=_("Withdraw"),
        icon="arrow-bar-to-down",
    ),
    "de-escalate": Action(
        plain(escalationforms.ReasonForm),
        lambda pk, data, now, by: withdrawing.de_escalate(escalation_id=pk, now=now, by=by, **data),
        _("De-escalated; who was asked is told."),
        label=_("De-escalate"),
        icon="arrow-down-circle",
    ),
    "accept-for": Action(
        plain(escalationforms.AcceptForForm),
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
    "reassign": Action(
        plain(escalationforms.OwnerForm),
        lambda pk, data, now, by: leading.reassign(
            escalation_id=pk,
            owner_id=data["owner"].pk,
            training_override=data["training_override"],
            now=now,
            by=by,
        ),
        _("Reassigned; both are told."),
        label=_("Reassign"),
        icon="user-share",
    ),
    "review": Action(
        plain(escalationforms.ReviewForm),
        lambda pk, data, now, by: reviewing.review(escalation_id=pk, now=now, by=by, **data),
        _("Reviewed."),
        label=_("Review"),
        icon="eye-check",
    ),
    "tick": Action(
        plain(escalationforms.TickForm),
        lambda pk, data, now, by: checklist.tick(escalation_id=pk, now=now, by=by, **data),
        _("Checklist kept."),
    ),
}
