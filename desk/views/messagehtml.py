"""A mail as it was written: its HTML, made harmless, for the sandboxed frame on the ticket."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from desk.views.ticket import find_ticket
from tickets.inbound.parsing import Unreadable
from tickets.inbound.reader import read_safe_html
from tickets.models import Attachment, InboundEmail, Message

#: Nothing but the mail's own inline styles and the pictures it brought along.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:{elsewhere}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
PICTURES_SHOWN = 20
LARGEST_PICTURE = 1 << 20
#: Only raster images, told by their first bytes and not by what the sender calls them.
_RASTER: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


@require_safe
@login_required
@xframe_options_sameorigin
def message_html(request: HttpRequest, reference: str, pk: int) -> HttpResponse:
    """Show the HTML of a message; ``?pictures=1`` lets it load pictures from elsewhere."""
    found = find_ticket(request, reference)
    written = Message.objects.select_related("contact")
    message = get_object_or_404(written, pk=pk, ticket=found, has_html=True)
    elsewhere = request.GET.get("pictures") == "1"
    raw = InboundEmail.objects.filter(message=message).values_list("raw", flat=True).first()
    html, why = "", ""
    if raw is not None:
        try:
            html = read_safe_html(bytes(raw), images=_pictures(message), remote_images=elsewhere)
        except Unreadable as error:
            why = str(error)
    response = render(
        request, "desk/message_html.html", {"html": html, "why": why, "message": message}
    )
    response["Content-Security-Policy"] = POLICY.format(elsewhere=" https:" if elsewhere else "")
    response["Referrer-Policy"] = "no-referrer"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _pictures(message: Message) -> dict[str, str]:
    """The pictures a mail brought along, by Content-ID, as addresses that need no request.

    The frame is of an origin of its own and would ask for them without the reader's session.
    """
    found = {}
    brought = Attachment.objects.filter(message=message, size__lte=LARGEST_PICTURE)
    for each in brought.exclude(content_id="").order_by("pk")[:PICTURES_SHOWN]:
        try:
            with each.file.open("rb") as opened:
                data = opened.read()
        except OSError:
            continue
        kind = next((kind for start, kind in _RASTER.items() if data.startswith(start)), None)
        if kind is not None:
            found[each.content_id] = f"data:{kind};base64,{b64encode(data).decode('ascii')}"
    return found
