"""A part of a file, as players ask for it (RFC 9110, section 14).

One range of bytes at a time; several at once are answered with the whole, as the RFC allows. The ranges
that whitenoise serves know no ``If-Range``, and refuse a range of one byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO, Final

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE | re.ASCII)


def hand_out_part(
    request: HttpRequest, opened: Callable[[], IO[bytes]], *, size: int, mime: str, etag: str
) -> HttpResponseBase:
    """The file, or the part that the request asks for; ``etag`` is a strong one, in its quotes.

    Raises ``OSError`` where the file is not there.
    """
    # Before anything is opened: to close a response that is not sent would end the request.
    unmet = get_conditional_response(request, etag=etag)
    if unmet is not None:
        return unmet
    file = opened()
    part = wanted(request, size=size, etag=etag)
    response: HttpResponseBase
    if part is None:
        response = FileResponse(file, content_type=mime)
        response["Content-Length"] = str(size)
    elif not part:
        file.close()
        response = HttpResponse(status=416, content_type=mime)
        response["Content-Range"] = f"bytes */{size}"
    else:
        response = FileResponse(_Part(file, part), status=206, content_type=mime)
        response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        response["Content-Length"] = str(len(part))
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["X-Content-Type-Options"] = "nosniff"
    return response


def wanted(request: HttpRequest, *, size: int, etag: str) -> range | None:
    """The bytes a request asks for; empty where there are none, and None where it wants the whole."""
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or found is None or found[1] == found[2] == "":
        return None
    if request.headers.get("If-Range", etag) != etag:
        # It has the beginning of another file.
        return None
    if not found[1]:
        return range(max(size - int(found[2]), 0), size)
    first, last = int(found[1]), int(found[2] or size)
    if found[2] and last < first:
        return None
    return range(first, max(min(last + 1, size), first))


class _Part:
    """Reads no further than to the end of a part, and closes the file with it."""

    def __init__(self, file: IO[bytes], part: range) -> None:
        file.seek(part.start)
        self._file = file
        self._left = len(part)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()
