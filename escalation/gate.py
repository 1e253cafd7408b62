"""The gate: what a person's functional escalation must bring along.

It stands in the stations and not in a form, so that the page, a command and the API all
meet it. Rules and hierarchical escalations pass: a neglected ticket has no details by
definition, and what is missing stands in the package and in the letter.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from escalation.cases import Case
from escalation.models.escalation import Kind
from escalation.opening import Request
from tickets.errors import Refused


class GateClosed(Refused):
    """An escalation lacks required details or a note; an override with a reason passes."""


def check(*, case: Case, request: Request) -> None:
    """Raise ``GateClosed`` where something is lacking that is neither asked for nor overridden."""
    if request.kind != Kind.FUNCTIONAL or request.override_reason.strip():
        return
    if not (request.reason + request.tried + request.ask).strip():
        raise GateClosed(_("Say what was tried, or what you ask for."), field="ask")
    if case.gathered.missing and not request.ask_customer:
        labels = ", ".join(detail.local_label for detail in case.gathered.missing)
        raise GateClosed(
            _(
                "Still missing: %(labels)s. Add them, ask the customer in the same letter,"
                " or say why it has to go without."
            )
            % {"labels": labels},
            field="override_reason",
        )
