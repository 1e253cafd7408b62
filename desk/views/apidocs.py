"""``/api/docs/``: every operation of the API, to be read and tried, without a network."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from desk.api.problems import KINDS


@require_safe
@login_required
def docs(request: HttpRequest) -> HttpResponse:
    """The page draws itself from the schema. What kinds of problem there are stands on it, too:
    a problem's ``type`` leads here.
    """
    return render(request, "desk/api_docs.html", {"kinds": KINDS})
