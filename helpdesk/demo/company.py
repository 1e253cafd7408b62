"""Brightquay as a whole: whether it is here, and how it comes to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from helpdesk.demo import (
    arriving,
    calendars,
    categories,
    clearing,
    customers,
    escalated,
    learning,
    people,
    policy,
    settled,
    year,
)
from helpdesk.demo.conversations import SUBJECTS
from helpdesk.demo.director import play
from helpdesk.demo.scene import next_number
from helpdesk.demo.stage import Stage
from helpdesk.demo.timetable import openings
from staff.models import User
from tickets import portal
from tickets.errors import Refused
from tickets.models import Contact, Ticket

STORIES = (
    arriving.invoices_return_502,
    arriving.cannot_invite_a_colleague,
    arriving.webhook_signature_fails,
    arriving.export_stuck,
    escalated.sso_login_loop,
    escalated.duplicate_charges,
    escalated.data_residency_proof,
    escalated.too_many_requests,
    escalated.wrong_vat,
    escalated.refunds_fail,
    escalated.cto_wants_a_call,
    escalated.sandbox_certificate,
    escalated.pdf_language,
    settled.callback_delayed,
    settled.umlauts_broken,
    settled.login_code_missing,
    settled.rotate_keys,
    settled.wrong_currency,
    settled.security_questionnaire,
)

NEWEST = max(SUBJECTS)
APART = timedelta(hours=20)
"""Between the last ticket of the year before and the first of those that are played."""


def is_here() -> bool:
    """Whether the demo's tickets have been made, whatever became of them since."""
    dana = customers.CONTACTS["dana"].email
    return Ticket.objects.filter(pk=NEWEST, requester__email=dana).exists()


@transaction.atomic
def load(
    *,
    now: datetime,
    past: int = year.TICKETS,
    again: bool = False,
    curtain: Callable[[], datetime] | None = None,
) -> int:
    """Make the demo, all of it or nothing; returns how many tickets were made.

    ``past`` of them were closed in the year before. ``again`` removes what the demo's customers
    have asked so far and plays it anew; configuration that people have changed stays as it is.
    ``curtain`` is asked, when all but the play is made, for the moment at which it ends.

    With the demo here already it changes nothing. Raises ``Refused`` where there are
    tickets that are not the demo's: a desk in use is not mixed with one that is played.
    """
    if again:
        clearing.clear()
    elif is_here():
        return 0
    if Ticket.objects.exists():
        raise Refused(
            _(
                "There are tickets that are not the demo's; the demo is loaded only into a desk"
                " without tickets."
            )
        )
    made = calendars.load(now=now)
    users, teams = people.load(calendars=made, now=now)
    stage = Stage(
        curtain=now,
        at=now,
        users=users,
        teams=teams,
        contacts=customers.load(calendars=made, now=now),
        categories=categories.load(teams=teams),
    )
    people.renew_absence(users=users, now=now)
    policy.load(now=now)
    learning.load(users=users, now=now)
    # Letters have their readers' languages; what stations say to staff has the company's.
    with translation.override("en"):
        over = year.load(stage=stage, before=min(openings(stage).values()) - APART, tickets=past)
        if curtain is not None:
            stage.curtain = stage.at = curtain()
        play(stage=stage, stories=STORIES)
    next_number(NEWEST + 1)
    return len(STORIES) + over


def sign_ins(*, now: datetime) -> list[str]:
    """Lines that tell how to sign in; none for who is not here.

    The portal's is a link for Dana, good for once and for half an hour.
    """
    here = set(User.objects.filter(is_active=True).values_list("email", flat=True))
    lines = []
    for role, key in people.SIGN_INS.items():
        person = people.PEOPLE[key]
        if person.email in here:
            lines.append(f"sign-in: {role} {person.email} {person.password}")
    if is_here():
        dana = Contact.objects.get(email=customers.CONTACTS["dana"].email)
        lines.append(f"portal: {portal.link_for(contact=dana, now=now)}")
    return lines
