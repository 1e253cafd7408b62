"""Handing out a file that somebody sent us."""

from __future__ import annotations

from django.http import FileResponse, Http404

from tickets.models import Attachment


def hand_out(stored: Attachment) -> FileResponse:
    """A file to be kept, under the name it came with, that no browser opens in place."""
    try:
        opened = stored.file.open("rb")
    except OSError:
        raise Http404 from None
    response = FileResponse(opened, as_attachment=True, filename=stored.name)
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
