"""``/training/…/lesson/``: the newest version as a video or as slides, from where its reader left.

A slide has an address (``?step=``), going on is a form, and nothing is kept by looking. ``?all=1`` shows
the steps that are not asked, too, ``?video=`` the video in a language, ``?print=1`` all slides at once.
"""

from __future__ import annotations

import math

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from desk.training.slides import FIRST, LAST, Deck, Slide, slides_of
from desk.training.standing import Standing, standings
from desk.views.reading import reader
from staff.models import User
from training import lessons
from training.captions import read_cues
from training.course import Course
from training.models import LessonProgress, LessonVideo, ProcedureVersion

#: Longer than any video.
_LONGEST = 100_000


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@vary_on_headers("HX-Request")
def lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """The video, or a slide; sending goes on to another slide, or keeps where the video stands."""
    user, now = reader(request), timezone.now()
    found = standings(user=user, now=now, slug=slug)
    if not found:
        raise Http404
    standing = found[0]
    version = ProcedureVersion.objects.select_related("procedure").get(pk=standing.offered.pk)
    if request.method == "POST":
        return _kept(request, version, user)
    course = version.course(user.language)
    scope = standing.scope
    progress = LessonProgress.objects.filter(user=user, version=version).first()
    context = {
        "standing": standing,
        "version": version,
        "front": course.front,
        "scope": scope,
        "is_all": "all" in request.GET,
        "progress": progress,
        "videos": list(version.videos.defer("captions")),
        "now": now,
    }
    slides = slides_of(
        course,
        scope=() if "all" in request.GET else scope,
        seen=progress.seen if progress else (),
    )
    if "print" in request.GET:
        return render(request, "training/lesson_paper.html", {**context, "slides": slides})
    video = _video(request, version, course, standing)
    is_part = "HX-Request" in request.headers and (
        "HX-History-Restore-Request" not in request.headers
    )
    if video is not None and is_part:
        # A newer version came meanwhile, whose lesson is no slide.
        return HttpResponse(headers={"HX-Redirect": request.get_full_path()})
    if video is not None:
        seconds = progress.at_second if progress else 0
        context |= {"video": video, "cues": read_cues(video.captions), "at": f"{seconds:.1f}"}
        return render(request, "training/lesson_video.html", context)
    deck = Deck(slides, _place(request, slides, progress))
    template = "training/_slide.html" if is_part else "training/lesson.html"
    response = render(request, template, {**context, "deck": deck})
    if is_part:
        response["HX-Push-Url"] = request.get_full_path()
    return response


def _video(
    request: HttpRequest, version: ProcedureVersion, course: Course, standing: Standing
) -> LessonVideo | None:
    """The video that is asked for, or that stands for the slides: in the course's language, where
    all of it is to be learnt."""
    if "video" in request.GET:
        found = version.videos.filter(language=request.GET["video"].replace("\0", "")).first()
        if found is None:
            raise Http404
        return found
    if "step" in request.GET or standing.scope:
        return None
    return version.videos.filter(language=course.front.language).first()


def _place(request: HttpRequest, slides: list[Slide], progress: LessonProgress | None) -> int:
    """Which slide is shown: the one asked for, or where its reader left."""
    keys = [slide.key for slide in slides]
    if "step" in request.GET:
        if request.GET["step"] not in keys:
            raise Http404
        return keys.index(request.GET["step"])
    left = progress.at_step if progress and not progress.finished_at else FIRST
    return keys.index(left) if left in keys else 0


def _kept(request: HttpRequest, version: ProcedureVersion, user: User) -> HttpResponse:
    now = timezone.now()
    is_its = request.POST.get("version") == str(version.number)
    if "second" in request.POST:
        second = _second(request.POST["second"])
        if second is None or not is_its:
            return HttpResponse(status=422)
        ended = "ended" in request.POST
        lessons.watch(version=version, second=second, ended=ended, by=user, now=now)
        return HttpResponse(status=204)
    to = request.POST.get("to", "")
    address = reverse("desk:lesson", args=(version.procedure.slug,))
    known = {FIRST, LAST, *version.course(user.language).step_by_key}
    if not is_its or to not in known:
        # A newer version came meanwhile: it is begun.
        return redirect(address)
    seen = request.POST.get("seen", "")
    lessons.go_on(version=version, seen=seen, to=to, by=user, now=now)
    rest = "&all=1" if "all" in request.GET else ""
    return redirect(f"{address}?step={to}{rest}")


def _second(text: str) -> float | None:
    try:
        second = float(text[:20])
    except ValueError:
        return None
    return second if math.isfinite(second) and 0 <= second <= _LONGEST else None
