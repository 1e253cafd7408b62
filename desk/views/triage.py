from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from desk.triage import read_rows, read_triage
from desk.views.reading import reader
from escalation.roster import call_roll
from staff import editions
from tickets.listing import Cursor, read_filters


@require_safe
@login_required
@vary_on_headers("HX-Request")
def triage(request: HttpRequest) -> HttpResponse:
    """Show a view's list; htmx asks for rows alone, to add a page or to bring them up to date.

    ``?after=`` goes on after a row, ``?ticket=`` says which one the third pane opens with; the
    rest of the address filters. What cannot be read in it is left out, and said.
    """
    user, now = reader(request), timezone.now()
    filters = read_filters(request.GET)
    after = Cursor.decode(request.GET.get("after", ""))
    if request.headers.get("HX-Request"):
        roster = call_roll(now=now, edition=editions.current())
        rows, more = read_rows(user=user, filters=filters, after=after, roster=roster)
        context = {"rows": rows, "more": more, "filters": filters, "now": now}
        return render(request, "desk/_list.html", context)
    page = read_triage(user=user, filters=filters, after=after, now=now)
    context = {
        "page": page,
        "rows": page.rows,
        "more": page.more,
        "filters": filters,
        "now": now,
        "partial": False,
    }
    return render(request, "desk/triage.html", context)
