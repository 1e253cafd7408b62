"""The gate: what a person's functional escalation must bring along.

It stands in the stations and not in a form, so that the page, a command and the API all
meet it. Rules and hierarchical escalations pass: a neglected ticket has no details by
definition, and what is missing stands in the package and in the letter.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from escalation.cases import Case
from escalation.ledger import Ledger
from escalation.models import TrainingOverride
from escalation.models.escalation import Kind
from escalation.opening import Request
from escalation.policyspec import Act
from escalation.procedures import InForce
from staff.models import User
from tickets.errors import Refused
from training import completing


class GateClosed(Refused):
    """An escalation lacks required details or a note; an override with a reason passes."""


class CompletionNeeded(Refused):
    """Somebody has not completed the procedure that the policy requires; an override passes.

    ``procedure`` is the version to complete, which stands at ``address``.
    """

    def __init__(self, procedure: InForce, *, who: User, by: User) -> None:
        names = {"name": who.name, "number": procedure.number}
        super().__init__(
            _(
                "Please complete version %(number)d of the procedure first; it takes about five"
                " minutes. If this cannot wait, say why."
            )
            % names
            if who == by
            else _(
                "%(name)s has not completed version %(number)d of the procedure. If this cannot"
                " wait, say why."
            )
            % names,
            field="training_override",
        )
        self.procedure = procedure

    @property
    def address(self) -> str:
        return f"/training/{self.procedure.slug}/"


def check_completion(
    *, case: Case, ledger: Ledger, act: Act, who: User, override: str = ""
) -> None:
    """Raise ``CompletionNeeded`` where the policy lets only those do this who have completed the
    procedure in force, or a newer version. A reason to do it nevertheless is kept, and the timeline
    tells it.

    Rules pass: they are nobody who could learn.
    """
    procedure = case.procedure
    if ledger.by is None or procedure is None or act not in case.policy.training.required_to:
        return
    if completing.has_completed(
        user=who, slug=procedure.slug, number=procedure.number, now=ledger.now
    ):
        return
    if not override.strip():
        raise CompletionNeeded(procedure, who=who, by=ledger.by)
    kept = TrainingOverride.objects.create(
        ticket=case.ticket, reason=override.strip(), at=ledger.now, user=ledger.by
    )
    ledger.event(
        case.ticket,
        "training_overridden",
        act=act.value,
        procedure=procedure.slug,
        version=procedure.number,
        who=who.pk,
        override=kept.pk,
    )


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
