"""What can be done to a ticket on its page, by the last part of its address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from django.forms import Form
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from desk import ticketforms
from desk.actions import Action, Data, plain
from escalation import asking, endings, updates
from staff.models import User
from tickets import calls, conversation, followups, gathering, snoozing, triage
from tickets.gathering import Gathered
from tickets.models import Ticket
from tickets.models.followup import FollowUpKind


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


ON_TICKET: Mapping[str, Action] = {
    "reply": Action(
        plain(ticketforms.ReplyForm),
        lambda pk, data, now, by: conversation.reply(
            ticket_id=pk, text=data["text"], status=data["status"], now=now, by=by
        ),
        _("Sent. It leaves in ten seconds."),
    ),
    "note": Action(
        plain(ticketforms.NoteForm),
        lambda pk, data, now, by: conversation.note(
            ticket_id=pk, text=data["text"], now=now, by=by
        ),
        _("Noted."),
    ),
    "call": Action(
        plain(ticketforms.CallNoteForm),
        lambda pk, data, now, by: calls.append(ticket_id=pk, text=data["text"], now=now, by=by),
        _("The call is kept, as the customer's words."),
        label=_("They called"),
        icon="phone",
    ),
    "assess": Action(
        _assess_form,
        _assess,
        _("Assessed."),
        label=_("Assess"),
        icon="gauge",
    ),
    "assign": Action(
        _assign_form,
        _assign,
        _("Assigned."),
        label=_("Assign"),
        icon="user-check",
    ),
    "move": Action(
        _move_form,
        lambda pk, data, now, by: triage.move(
            ticket_id=pk, team_id=data["team"].pk, now=now, by=by
        ),
        _("Moved."),
        label=_("Move"),
        icon="users",
    ),
    "status": Action(
        _status_form,
        lambda pk, data, now, by: triage.set_status(
            ticket_id=pk, status=data["status"], now=now, by=by
        ),
        _("Status changed."),
        label=_("Status"),
        icon="progress",
    ),
    "detail": Action(
        plain(ticketforms.DetailForm),
        lambda pk, data, now, by: gathering.set_detail(
            ticket_id=pk, key=data["key"], value=data["value"], now=now, by=by
        ),
        _("Detail kept."),
    ),
    "ask": Action(
        lambda sent, _ticket, gathered: ticketforms.AskForm(sent, gathered=gathered),
        lambda pk, data, now, by: asking.ask(ticket_id=pk, keys=data["keys"], now=now, by=by),
        _("The customer is asked."),
    ),
    "follow-up": Action(
        plain(ticketforms.FollowUpForm),
        _follow_up,
        _("Follow-up added."),
        label=_("Add a follow-up"),
        icon="bell-plus",
    ),
    "update": Action(
        plain(ticketforms.UpdateForm),
        lambda pk, data, now, by: updates.update(ticket_id=pk, now=now, by=by, **data),
        _("The customer is told."),
        label=_("Send update"),
        icon="mail-forward",
    ),
    "new-time": Action(
        plain(ticketforms.NewTimeForm),
        lambda pk, data, now, by: updates.new_expected_time(ticket_id=pk, now=now, by=by, **data),
        _("The customer is told the new time."),
        label=_("New time"),
        icon="calendar-time",
    ),
    "snooze": Action(
        plain(ticketforms.SnoozeForm),
        _snooze,
        _("Snoozed; the customer's next word wakes it."),
        label=_("Snooze"),
        icon="zzz",
        key="h",
    ),
    "unsnooze": Action(
        plain(Form),
        lambda pk, _data, now, by: snoozing.unsnooze(ticket_id=pk, now=now, by=by),
        _("Awake again."),
    ),
    "resolve": Action(
        plain(ticketforms.ResolveForm),
        lambda pk, data, now, by: endings.resolve(ticket_id=pk, now=now, by=by, **data),
        _("Resolved; the customer is asked to check."),
        label=_("Resolve"),
        icon="circle-check",
        primary=True,
    ),
    "close": Action(
        plain(Form),
        lambda pk, _data, now, by: endings.close(ticket_id=pk, now=now, by=by),
        _("Closed."),
    ),
    "reopen": Action(
        plain(Form),
        lambda pk, _data, now, by: endings.reopen(ticket_id=pk, now=now, by=by),
        _("Open again."),
    ),
}
