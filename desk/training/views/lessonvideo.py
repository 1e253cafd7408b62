"""A lesson's video and its captions, as players ask for them, and the page on which leads add them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from desk.byterange import hand_out_part
from desk.formfields import refuse
from desk.training.videoform import VideoForm
from desk.views.reading import lead, reader
from staff.models import User
from staff.refusal import Refused
from training import lessonvideos
from training.captions import LARGEST
from training.models import LessonVideo, ProcedureVersion, VersionState

#: A video never changes under its number.
_KEPT = "private, max-age=86400, immutable"


@require_safe
@login_required
def video(request: HttpRequest, slug: str, pk: int) -> HttpResponseBase:
    """The video, or the part that is asked for."""
    found = _shown(request, slug, pk)
    try:
        response = hand_out_part(
            request,
            lambda: found.file.open("rb"),
            size=found.size,
            mime=found.mime,
            etag=f'"{bytes(found.sha256).hex()}"',
        )
    except OSError:
        raise Http404 from None
    response["Cache-Control"] = _KEPT
    response["Content-Security-Policy"] = "default-src 'none'; media-src 'self'; sandbox"
    return response


@require_safe
@login_required
def captions(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What is said in the video, as WebVTT."""
    found = _shown(request, slug, pk)
    return HttpResponse(
        found.captions,
        content_type="text/vtt; charset=utf-8",
        headers={"Cache-Control": _KEPT, "X-Content-Type-Options": "nosniff"},
    )


def _shown(request: HttpRequest, slug: str, pk: int) -> LessonVideo:
    """A video of a published version, or for leads of any."""
    user = reader(request)
    found = LessonVideo.objects.filter(version__procedure__slug=slug)
    if not user.is_lead:
        found = found.filter(version__state=VersionState.PUBLISHED)
    return get_object_or_404(found, pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def of_version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A version's videos; sending adds one to a draft, takes one over, or removes one."""
    by = lead(request)
    version = get_object_or_404(
        ProcedureVersion.objects.select_related("procedure"), procedure__slug=slug, number=number
    )
    if request.method != "POST":
        return _page(request, version, VideoForm(version=version))
    do, form = request.POST.get("do", "add"), VideoForm(version=version)
    try:
        if do == "add":
            form = VideoForm(request.POST, request.FILES, version=version)
            if not form.is_valid():
                return _page(request, version, form, status=422)
            _added(form, version, by)
            messages.success(request, _("The video is part of the draft."))
        else:
            language = request.POST.get("language", "").replace("\0", "")
            _done(do, language, version, by)
    except Refused as refusal:
        if form.is_bound:
            refuse(form, refusal)
        return _page(request, version, form, refused=str(refusal), status=422)
    return redirect("desk:lesson-videos", slug, number)


def _added(form: VideoForm, version: ProcedureVersion, by: User) -> None:
    sent = form.cleaned_data["captions"]
    lessonvideos.add(
        version_id=version.pk,
        language=form.cleaned_data["language"],
        file=form.cleaned_data["video"],
        captions=sent.read(LARGEST + 1),
        by=by,
        now=timezone.now(),
    )


def _done(do: str, language: str, version: ProcedureVersion, by: User) -> None:
    if do == "remove":
        lessonvideos.remove(version_id=version.pk, language=language)
    elif do == "take-over":
        now = timezone.now()
        lessonvideos.take_over(version_id=version.pk, language=language, by=by, now=now)
    else:
        raise Http404


def _page(
    request: HttpRequest,
    version: ProcedureVersion,
    form: VideoForm,
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    videos = {each.language: each for each in version.videos.select_related("added_by")}
    earlier = {each.language for each in lessonvideos.before(version).defer("captions")}
    return render(
        request,
        "training/lesson_videos.html",
        {
            "version": version,
            "procedure": version.procedure,
            "rows": [
                (language, videos.get(language), language in earlier) for language in version.texts
            ],
            "now": timezone.now(),
            "is_draft": version.state == VersionState.DRAFT,
            "form": form,
            # What the form says at its fields is not said twice.
            "refused": "" if form.is_bound and form.errors else refused,
        },
        status=status,
    )
