"""Files that a visitor sends along: as many and as large as a mail may bring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from notifications.plaintext import one_line
from tickets.inbound.decoding import safe_name
from tickets.inbound.reader import limits

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

#: Besides the files of a form, its texts and the lines between.
AROUND = 1_000_000


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as ``tickets.attachments`` keeps it."""

    name: str
    content_type: str
    data: bytes
    content_id: str = ""


class _Input(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files, none included; cleaned, they are ``Upload``s."""

    def __init__(self, **options: Any) -> None:
        widget = _Input(attrs={"class": "form-control"})
        super().__init__(widget=widget, required=False, **options)

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = data if isinstance(data, list | tuple) else [data]
        files = [one for one in given if isinstance(one, UploadedFile)]
        allowed = limits()
        if len(files) > allowed.parts:
            raise ValidationError(_("These are more files than one message can take."))
        if sum(one.size or 0 for one in files) > allowed.raw:
            raise ValidationError(
                _("Together these files are larger than %(size)s.")
                % {"size": filesizeformat(allowed.raw)}
            )
        return [
            Upload(
                name=safe_name(one.name or "", otherwise=f"attachment-{number}"),
                content_type=one_line(one.content_type or "application/octet-stream", limit=120),
                data=one.read(),
            )
            for number, one in enumerate(files, start=1)
        ]


def refuse_floods(view: View[P]) -> View[P]:
    """Answer a request that says it is larger than any form of ours before reading any of it."""
    # Django's own check reads the whole form, so that it may come only after ours.
    inner = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > limits().raw + AROUND:
            size = filesizeformat(limits().raw)
            return render(request, "portal/too_large.html", {"size": size}, status=413)
        return inner(request, *args, **kwargs)

    return guarded
