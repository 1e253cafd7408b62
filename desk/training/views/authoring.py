"""``/training/…/versions/``: how a procedure came about, and what is done with a version of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from desk.training.difference import difference, steps
from desk.training.views.authored import authored
from desk.views.numbers import number as number_in
from desk.views.reading import lead
from staff.models import Role, User
from staff.refusal import Refused
from training import reviewdates, versions
from training.agreement import VersionErrors, main_language
from training.holding import Gone
from training.models import Procedure, ProcedureVersion

PAGE = 50


@require_safe
@login_required
def versions_of(request: HttpRequest, slug: str) -> HttpResponse:
    """A procedure's versions, the newest first."""
    lead(request)
    procedure = get_object_or_404(Procedure.objects.select_related("owner"), slug=slug)
    found = procedure.versions.defer("texts").select_related(
        "created_by", "submitted_by", "published_by"
    )
    page = Paginator(found.order_by("-number"), PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    newest = procedure.versions.defer("texts").order_by("number").last()
    in_force = procedure.versions.in_force(at=now).defer("texts").first()
    return render(
        request,
        "training/versions.html",
        {
            "procedure": procedure,
            "newest": newest,
            "page": page,
            "in_force": in_force,
            "stale": reviewdates.stale_version(procedure, today=reviewdates.today(now)),
            "now": now,
        },
    )


@require_safe
@login_required
def one(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A version, how it differs from the one before (or ``?against=``), and what can be done with it."""
    return _page(request, lead(request), _version(slug, number))


def _page(
    request: HttpRequest,
    by: User,
    version: ProcedureVersion,
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    older = version.procedure.versions.filter(number__lt=version.number).order_by("-number")
    numbers = list(older.values_list("number", flat=True))
    against = number_in(request.GET.get("against"))
    if "against" in request.GET and against not in numbers:
        raise Http404
    old = older.filter(number=against or (numbers[0] if numbers else 0)).first()
    asked = request.GET.get("language", by.language)
    language = asked if asked in version.texts else main_language(version.texts)
    is_open, now = not version.is_published, timezone.now()
    return render(
        request,
        "training/version.html",
        {
            "version": version,
            "procedure": version.procedure,
            "numbers": numbers,
            "old": old,
            "language": language,
            "has_old": old is not None and language in old.texts,
            "sections": difference(old.courses[language], version.courses[language])
            if old is not None and language in old.texts
            else (),
            "authored": authored(version.courses[language]),
            "steps": steps(old, version) if old is not None and is_open else None,
            "may_publish": version.submitted_by != by or by.role == Role.ADMIN,
            "is_author": version.submitted_by == by,
            "is_stale": version
            == reviewdates.stale_version(version.procedure, today=reviewdates.today(now)),
            "refused": refused,
            "now": now,
        },
        status=status,
    )


def _version(slug: str, number: int) -> ProcedureVersion:
    found = ProcedureVersion.objects.select_related(
        "procedure__owner", "created_by", "submitted_by", "published_by"
    )
    return get_object_or_404(found, procedure__slug=slug, number=number)


# What is done with a version


@dataclass(frozen=True, slots=True)
class Wish:
    """What is sent with a button: a note, and when the text was changed that its reader saw."""

    version_id: int
    note: str
    read: datetime | None
    by: User

    @classmethod
    def of(cls, request: HttpRequest, version: ProcedureVersion, by: User) -> Wish:
        note = request.POST.get("note", "").replace("\0", "")[:1_000]
        try:
            read = datetime.fromisoformat(request.POST.get("read", ""))
        except ValueError:
            return cls(version.pk, note, None, by)
        return cls(version.pk, note, read if read.tzinfo else None, by)


_Act = Callable[[Wish, datetime], object]

ACTS: Final[Mapping[str, tuple[_Act, LazyText]]] = {
    "submit": (
        lambda wish, now: versions.submit(
            version_id=wish.version_id, read=wish.read, by=wish.by, now=now
        ),
        _("Submitted: the other leads hear of it."),
    ),
    "give-back": (
        lambda wish, now: versions.give_back(
            version_id=wish.version_id, note=wish.note, by=wish.by, now=now
        ),
        _("Given back: it can be written on."),
    ),
    "publish": (
        lambda wish, now: versions.publish(
            version_id=wish.version_id, read=wish.read, by=wish.by, now=now
        ),
        _("Published: whoever must know it is asked."),
    ),
    "discard": (
        lambda wish, now: versions.discard(version_id=wish.version_id, by=wish.by, now=now),
        _("Thrown away."),
    ),
}


@require_POST
@login_required
def act(request: HttpRequest, slug: str, number: int, action: str) -> HttpResponse:
    """Submit, give back, publish or throw away a version."""
    by = lead(request)
    version = _version(slug, number)
    if action not in ACTS:
        raise Http404
    do, said = ACTS[action]
    try:
        do(Wish.of(request, version, by), timezone.now())
    except Gone as gone:
        messages.error(request, str(gone))
        return _after_it(slug)
    except (Refused, VersionErrors) as refusal:
        return _page(request, by, version, refused=str(refusal), status=422)
    messages.success(request, str(said))
    if action != "discard":
        return redirect("desk:procedure-version", slug, number)
    return _after_it(slug)


def _after_it(slug: str) -> HttpResponse:
    """Where one goes on once a version is gone, which its procedure may be, too."""
    is_left = Procedure.objects.filter(slug=slug).exists()
    return redirect("desk:procedure-versions", slug) if is_left else redirect("desk:procedures")


@require_safe
@login_required
def files(request: HttpRequest, slug: str, number: int) -> FileResponse:
    """A version as files, exactly as it was written: one language of ``?language=``, or all, zipped."""
    lead(request)
    version = _version(slug, number)
    name = f"{slug}-v{number}"
    if "language" in request.GET:
        language = request.GET["language"]
        if language not in version.texts:
            raise Http404
        return _file(
            io.BytesIO(version.texts[language].encode()), f"{name}.{language}.md", "text/markdown"
        )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for language, text in version.texts.items():
            # The moment it was written, so that the same version is the same file.
            info = zipfile.ZipInfo(f"{slug}/{language}.md", version.changed_at.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text.encode())
    return _file(content, f"{name}.zip", "application/zip")


def _file(content: io.BytesIO, name: str, mime: str) -> FileResponse:
    """A file to be kept, that no browser opens in place."""
    content.seek(0)
    response = FileResponse(content, as_attachment=True, filename=name, content_type=mime)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
