from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from desk.search.finding import PAGES, jump, search
from desk.search.query import LONGEST, Operator, Query
from desk.views.reading import reader


@require_safe
@login_required
def search_page(request: HttpRequest) -> HttpResponse:
    """``?q=`` is searched for; a reference alone leads to its ticket."""
    user, now = reader(request), timezone.now()
    text = request.GET.get("q", "").strip()
    if (ticket := jump(user=user, text=text)) is not None:
        return redirect(ticket)
    asked = request.GET.get("page", "")
    results = search(
        user=user,
        text=text,
        now=now,
        zone=timezone.get_current_timezone(),
        page=int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1,
    )
    query = results.query
    context = {
        "text": text[:LONGEST],
        "results": results,
        "chips": [
            (str(operator), _address(str(replace(query, operators=_without(query, operator)))))
            for operator in query.operators
        ],
        "next": results.next and _address(text, results.next),
        "previous": results.previous and _address(text, results.previous),
        "last_ranked": results.more and results.page == PAGES,
        "now": now,
    }
    return render(request, "desk/search.html", context)


def _without(query: Query, operator: Operator) -> tuple[Operator, ...]:
    return tuple(each for each in query.operators if each is not operator)


def _address(text: str, page: int = 1) -> str:
    query = {"q": " ".join(text.split()), **({"page": page} if page > 1 else {})}
    return f"{reverse('desk:search')}?{urlencode(query)}"
