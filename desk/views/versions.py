"""The poll behind pages that stay open: what is new, in one small answer, 304 while nothing is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.views.decorators.http import require_safe

from desk import news
from staff.models import User


@require_safe
def versions(request: HttpRequest) -> HttpResponse:
    """Answer with what ``news.news`` says, or 304 to whoever knows it already.

    401 and no redirect without a sign-in: the page's script then stops asking.
    """
    if not isinstance(request.user, User):
        return JsonResponse({}, status=401, headers={"Cache-Control": "no-store"})
    answer = news.news(user=request.user, asked=request.GET)
    etag = f'"{answer["stamp"]}"'
    response: HttpResponse
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponseNotModified()
    else:
        response = JsonResponse(answer)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response
