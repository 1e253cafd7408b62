"""Letters as the desk's pages show them: what a kind is called, and its text before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from notifications import rendering
from notifications.models import OutgoingEmail
from notifications.rendering import Rendered

#: What a letter to a customer says, in a few words.
KINDS: Mapping[str, LazyText] = {
    "received": _("We have your request"),
    "detail_needed": _("A detail we need from you"),
    "escalated": _("Escalated, and the time to expect a reply"),
    "accepted": _("Who is working on it"),
    "update": _("How things stand"),
    "new_expected_time": _("A new expected time"),
    "resolved": _("Resolved: please check"),
    "closed": _("Closed"),
    "reply": _("A reply"),
    "verify_address": _("Please confirm your address"),
    "portal_sign_in": _("A link to sign in"),
}


@dataclass(frozen=True, slots=True)
class ShownLetter:
    """A letter in a conversation."""

    mail: OutgoingEmail
    text: str

    @property
    def title(self) -> str:
        return str(KINDS.get(self.mail.kind, self.mail.kind))


def rendered(mail: OutgoingEmail) -> Rendered:
    """What was sent or, until that is made, what would be; its template is to be loaded."""
    if mail.subject:
        html = "" if "html" in mail.get_deferred_fields() else mail.html
        return Rendered(subject=mail.subject, text=mail.text, html=html)
    return rendering.render(mail=mail)


def shown(mail: OutgoingEmail) -> ShownLetter:
    return ShownLetter(mail=mail, text=rendered(mail).text)
