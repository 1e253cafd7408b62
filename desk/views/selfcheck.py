"""``/settings/selfcheck/``: which promises are kept, for those who answer for others' work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from desk.models import SelfCheck
from desk.selfcheck import keeping
from desk.selfcheck.catalogue import CHECKS
from desk.selfcheck.checks import Check, Noun, Severity
from desk.selfcheck.running import Status
from desk.views.numbers import number
from desk.views.reading import lead
from escalation.sight import in_sight_of
from staff.models import User
from tickets.models import Ticket

PAGE = 20

NOUNS: Mapping[str, LazyText] = {
    Noun.TICKET: gettext_lazy("Ticket"),
    Noun.INBOUND: gettext_lazy("Mail that came in"),
    Noun.LETTER: gettext_lazy("Letter"),
    Noun.NOTICE: gettext_lazy("Notification"),
    Noun.RECEIPT: gettext_lazy("Delivery event"),
    Noun.ESCALATION: gettext_lazy("Escalation"),
    Noun.HANDOFF: gettext_lazy("Hand-off"),
    Noun.DECISION: gettext_lazy("Decision"),
    Noun.PROMISE: gettext_lazy("Promise"),
    Noun.CLOCK: gettext_lazy("Clock"),
    Noun.FOLLOW_UP: gettext_lazy("Follow-up"),
    Noun.SNOOZE: gettext_lazy("Snooze"),
    Noun.RELOOK: gettext_lazy("Relook"),
    Noun.ATTACHMENT: gettext_lazy("Attachment"),
    Noun.VIDEO: gettext_lazy("Video"),
    Noun.FILE: gettext_lazy("File"),
    Noun.WEBHOOK: gettext_lazy("Webhook"),
    Noun.DELIVERY: gettext_lazy("Webhook delivery"),
    Noun.ATTEMPT: gettext_lazy("Attempt"),
    Noun.COMPLETION: gettext_lazy("Completion"),
    Noun.ENROLLMENT: gettext_lazy("Enrolment"),
    Noun.KEY: gettext_lazy("Key"),
    Noun.DATABASE: gettext_lazy("In the database"),
}
#: What these are about may be a private team's, and no ticket says whose.
NOT_FOR_ALL = frozenset({Noun.LETTER, Noun.NOTICE, Noun.RECEIPT, Noun.WEBHOOK, Noun.DELIVERY})


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row that breaks a promise, as its reader may see it."""

    kind: LazyText
    id: str
    ticket: str
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A promise, and what the last self-check found of it."""

    name: str
    promise: LazyText
    counts: LazyText
    severity: Severity
    status: str
    number: str
    rows: Sequence[ShownRow]
    #: Found, and neither shown here nor anywhere else to this reader.
    unseen: bool
    error: str


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def selfcheck(request: HttpRequest) -> HttpResponse:
    """The last self-check, or an older one by ``?check=``; sending asks for one."""
    user = lead(request)
    if request.method == "POST":
        if keeping.ask(now=timezone.now(), by=user):
            messages.success(
                request, _("A self-check is being made; load this page again in a moment.")
            )
        else:
            messages.info(request, _("One is being made already, or has just been made."))
        return redirect("desk:selfcheck")
    made = SelfCheck.objects.filter(made_at__isnull=False).order_by("-pk")
    wanted, before = number(request.GET.get("check")), number(request.GET.get("before"))
    shown = made.filter(pk=wanted).first() if wanted is not None else made.first()
    if wanted is not None and shown is None:
        raise Http404
    older = made.defer("results")
    if before is not None:
        older = older.filter(pk__lt=before)
    found = list(older[: PAGE + 1])
    lines = list(_lines(shown, user)) if shown is not None else []
    return render(
        request,
        "desk/selfcheck.html",
        {
            "shown": shown,
            "asked": SelfCheck.objects.filter(made_at=None).select_related("asked_by").first(),
            "broken": [line for line in lines if line.status == Status.FOUND],
            "failed": [line for line in lines if line.status == Status.FAILED],
            "kept": [line for line in lines if line.status == Status.CLEAN],
            "checks": found[:PAGE],
            "older": found[PAGE - 1].pk if len(found) > PAGE else None,
            "now": timezone.now(),
        },
    )


def _lines(shown: SelfCheck, user: User) -> Sequence[Line]:
    """What was found, worded now, in the reader's language; what is not checked any more is left out."""
    results: dict[str, Mapping[str, Any]] = {each["name"]: each for each in shown.results}
    seen = _seen(results.values(), user)
    return [
        _line(check, results[check.name], seen, user) for check in CHECKS if check.name in results
    ]


def _line(check: Check, result: Mapping[str, Any], seen: set[int], user: User) -> Line:
    rows = [
        _shown(row)
        for row in result["rows"]
        if (
            _ticket_of(row) in seen
            if row["ticket"]
            else user.sees_every_team or check.noun not in NOT_FOR_ALL
        )
    ]
    return Line(
        name=check.name,
        promise=check.promise,
        counts=check.counts,
        severity=check.severity,
        status=result["status"],
        number=f"{result['count']}+" if result["capped"] else str(result["count"]),
        rows=rows,
        unseen=result["capped"] or result["count"] > len(rows),
        error=result["error"],
    )


def _seen(results: Collection[Mapping[str, Any]], user: User) -> set[int]:
    """The tickets named that this person may open: one query, and none where there are none."""
    named = {_ticket_of(row) for result in results for row in result["rows"] if row["ticket"]}
    if not named:
        return set()
    return set(in_sight_of(user).filter(pk__in=named).values_list("pk", flat=True))


def _ticket_of(row: Mapping[str, Any]) -> int:
    return Ticket.number_in(row["ticket"]) or 0


def _shown(row: Mapping[str, Any]) -> ShownRow:
    url = ""
    if row["kind"] == Noun.LETTER and str(row["id"]).isdecimal():
        url = reverse("desk:mail-letter", args=(row["id"],))
    elif row["kind"] == Noun.WEBHOOK:
        url = reverse("notifications:webhook", args=(row["id"],))
    elif row["ticket"]:
        url = reverse("desk:ticket", args=(row["ticket"],))
    return ShownRow(
        kind=NOUNS.get(row["kind"], NOUNS[Noun.DATABASE]),
        id=row["id"],
        ticket=row["ticket"] if row["ticket"] and row["ticket"] != row["id"] else "",
        url=url,
    )
