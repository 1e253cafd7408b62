"""``/training/people/``: who has completed which version, for those who answer for them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from desk.training.matrix import Row, people_wanted, rows_of, versions_of
from desk.training.matrixcells import Cells, plain
from desk.training.matrixforms import Filter
from desk.views.reading import lead
from staff.models import Team, User
from training import reminding, sight
from training.models import ProcedureVersion

PAGE = 50
#: People whose rows a file is made of at a time.
SLICE = 500
#: What a spreadsheet takes for the beginning of a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Matrix:
    """What an address asks for, as its reader may see it."""

    form: Filter
    valid: bool
    newest: ProcedureVersion | None
    versions: Sequence[ProcedureVersion]
    people: QuerySet[User]
    teams: QuerySet[Team]


@require_safe
@login_required
def people(request: HttpRequest) -> HttpResponse:
    """People and the versions of one procedure, a page of people at a time."""
    now = timezone.now()
    asked = _asked(lead(request), request.GET, now)
    page = Paginator(asked.people, PAGE).get_page(request.GET.get("page"))
    cells = Cells(now)
    # The newest stands beside the names, where it is seen on a phone, too.
    versions = asked.versions[::-1]
    rows = [
        (row, [cells.html(cell) for cell in row.cells])
        for row in rows_of(
            people=list(page.object_list), teams=asked.teams, versions=versions, now=now
        )
    ]
    kept = asked.form.kept if asked.valid else {}
    return render(
        request,
        "training/people.html",
        {
            "form": asked.form,
            "newest": asked.newest,
            "versions": versions,
            "rows": rows,
            "page": page,
            "kept": kept,
            "query": urlencode(kept),
            "narrowed": f"{urlencode(kept)}&" if kept else "",
            "is_filtered": bool(kept.keys() - {"procedure"}),
            "now": now,
        },
        status=200 if asked.valid else 400,
    )


@require_safe
@login_required
def people_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """All people the filter finds, as a file; three columns for each version."""
    now = timezone.now()
    asked = _asked(lead(request), request.GET, now)
    if not asked.valid or asked.newest is None:
        return redirect("desk:training-people")
    response = StreamingHttpResponse(
        _lines(asked, list(asked.people.values_list("pk", flat=True)), now),
        content_type="text/csv; charset=utf-8",
    )
    name = f"{asked.newest.procedure.slug}-{now:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@login_required
def remind(request: HttpRequest) -> HttpResponse:
    """Remind those of the filter who are overdue."""
    now = timezone.now()
    asked = _asked(lead(request), request.POST, now)
    if not asked.valid or asked.newest is None:
        return redirect("desk:training-people")
    reminded = reminding.remind_overdue(version=asked.newest, people=asked.people, now=now)
    if reminded:
        said = ngettext("%(n)s person is reminded.", "%(n)s people are reminded.", reminded)
        messages.success(request, said % {"n": reminded})
    else:
        messages.info(
            request, _("Nobody here is overdue, or they were reminded within the last day.")
        )
    return redirect(f"{reverse('desk:training-people')}?{urlencode(asked.form.kept)}")


def _asked(user: User, data: QueryDict, now: datetime) -> Matrix:
    offered = list(ProcedureVersion.objects.newest().select_related("procedure").defer("texts"))
    teams = sight.teams_of(user)
    form = Filter(data, offered=offered, teams=teams)
    valid = form.is_valid()
    wanted = form.cleaned_data.get("procedure") if valid else ""
    newest = next(
        (each for each in offered if each.procedure.slug == wanted), offered[0] if offered else None
    )
    return Matrix(
        form=form,
        valid=valid,
        newest=newest,
        versions=versions_of(newest.procedure) if newest else (),
        people=(
            people_wanted(people=sight.people_of(user), newest=newest, wish=form.wish(), now=now)
            if valid
            else User.objects.none()
        ),
        teams=teams,
    )


class _Echo:
    """What csv writes to, to be sent on."""

    def write(self, line: str) -> str:
        return line


def _lines(asked: Matrix, ids: Sequence[int], now: datetime) -> Iterator[str]:
    writer = csv.writer(_Echo())
    # Without it spreadsheets take the file for one of their country's encodings.
    yield "\ufeff"
    heads = ["name", "email", "role", "teams"]
    for version in asked.versions:
        heads += [f"v{version.number}", f"v{version.number} day", f"v{version.number} score"]
    yield writer.writerow(heads)
    for start in range(0, len(ids), SLICE):
        part = ids[start : start + SLICE]
        people = User.objects.in_bulk(part)
        for row in rows_of(
            people=[people[pk] for pk in part if pk in people],
            teams=asked.teams,
            versions=asked.versions,
            now=now,
        ):
            yield writer.writerow([_harmless(value) for value in _values(row)])


def _values(row: Row) -> Iterator[str]:
    yield from (row.person.name, row.person.email, row.person.role, ", ".join(row.teams))
    for cell in row.cells:
        yield from plain(cell)


def _harmless(value: str) -> str:
    """A value that no spreadsheet carries out."""
    return f"'{value}" if value.startswith(FORMULA) else value
