"""The page editor of a version: each language's text with what it will look like beside it.

Nothing is kept before it is saved, and nothing is saved that is no version. What somebody else wrote
meanwhile is never written over unseen.
"""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from desk.training import editor as editing
from desk.training.editor import Editor
from desk.training.views.authored import authored
from desk.views.reading import lead
from staff.models import User
from staff.refusal import Refused
from training import drafting, reviewdates, versions
from training.agreement import VersionErrors
from training.models import Procedure, ProcedureVersion, VersionState
from training.versions import ChangedMeanwhile, Seen

_PREVIEW = "preview-"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def first(request: HttpRequest) -> HttpResponse:
    """Write a procedure's first version."""
    by = lead(request)
    if request.method == "POST":
        return _written(request, by, None)
    texts = drafting.first_texts(by.language, today=reviewdates.today(timezone.now()))
    return _page(request, editing.of_texts(texts, Seen()), None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def following(request: HttpRequest, slug: str) -> HttpResponse:
    """Write the version after the published one; where it is begun already, go on with that."""
    by = lead(request)
    procedure = get_object_or_404(Procedure, slug=slug)
    newest = _newest(procedure)
    if request.method == "POST":
        return _written(request, by, newest)
    if not newest.is_published:
        return redirect("desk:procedure-version", slug, newest.number)
    texts = drafting.next_texts(newest, today=reviewdates.today(timezone.now()))
    return _page(request, editing.of_texts(texts, Seen.of(newest)), newest)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Go on writing a draft; what is in review or published has no editor."""
    by = lead(request)
    version = get_object_or_404(
        ProcedureVersion.objects.select_related("procedure"), procedure__slug=slug, number=number
    )
    if request.method == "POST":
        return _written(request, by, version)
    if version.state != VersionState.DRAFT:
        raise Http404
    return _page(request, editing.of_texts(version.texts, Seen.of(version)), version)


def _newest(procedure: Procedure) -> ProcedureVersion:
    newest = procedure.versions.order_by("number").last()
    if newest is None:
        raise Http404
    return newest


def _written(request: HttpRequest, by: User, base: ProcedureVersion | None) -> HttpResponse:
    """Do what the pressed button says with what was typed; without a name, save it."""
    editor = editing.of_form(request.POST, request.FILES, base.texts if base else {})
    if base is not None and editor.seen.procedure != base.procedure.slug:
        # What the form says was seen is not of this procedure.
        editor.seen = Seen(base.procedure.slug)
    do = request.POST.get("do", "save")
    if do.startswith(_PREVIEW):
        return _preview(request, editor, base, do.removeprefix(_PREVIEW))
    if do == "add":
        editor.add(request.POST.get("language", "").strip())
        return _page(request, editor, base, status=422 if editor.wrong else 200)
    if do == "upload":
        editor.look()
        return _page(request, editor, base, status=422 if editor.wrong else 200)
    return _save(request, editor, by, base)


def _preview(
    request: HttpRequest, editor: Editor, base: ProcedureVersion | None, language: str
) -> HttpResponse:
    pane = editor.preview(language)
    if pane is None:
        raise Http404
    status = 422 if pane.faults else 200
    if request.headers.get("HX-Request"):
        course = authored(pane.preview) if pane.preview else None
        context = {"pane": pane, "authored": course, "prefix": f"{language}-"}
        return render(request, "training/_preview.html", context, status=status)
    return _page(request, editor, base, status=status)


def _save(
    request: HttpRequest, editor: Editor, by: User, base: ProcedureVersion | None
) -> HttpResponse:
    if editor.wrong:
        return _page(request, editor, base, status=422)
    try:
        kept = versions.write(texts=editor.texts, by=by, now=timezone.now(), seen=editor.seen)
    except VersionErrors as errors:
        editor.show(errors)
        return _page(request, editor, base, status=422)
    except ChangedMeanwhile as changed:
        editor.show_theirs(changed.standing)
        return _page(request, editor, base, stale=changed.standing, status=409)
    except Refused as refusal:
        editor.wrong.append(str(refusal))
        return _page(request, editor, base, status=422)
    if kept is None:
        messages.info(request, _("Nothing differs from the newest version."))
        return redirect("desk:procedures") if base is None else _to(_newest(base.procedure))
    messages.success(request, _("Saved."))
    return _to(kept)


def _to(version: ProcedureVersion) -> HttpResponse:
    return redirect("desk:procedure-version", version.procedure.slug, version.number)


def _page(
    request: HttpRequest,
    editor: Editor,
    base: ProcedureVersion | None,
    *,
    stale: ProcedureVersion | None = None,
    status: int = 200,
) -> HttpResponse:
    return render(
        request,
        "training/editor.html",
        {
            "editor": editor,
            "seen": editing.seen_as_text(editor.seen),
            "panes": [
                (pane, authored(pane.preview) if pane.preview else None, f"{pane.language}-")
                for pane in editor.panes
            ],
            "base": base,
            "stale": stale,
            "is_faulty": bool(editor.wrong) or any(pane.faults for pane in editor.panes),
            "now": timezone.now(),
        },
        status=status,
    )
