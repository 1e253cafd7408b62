from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from escalation.models.policy import PolicyVersion
from staff.models import Absence, Team, User
from tickets.models import Ticket
from training.models import ProcedureVersion


class Kind(models.TextChoices):
    FUNCTIONAL = "functional", _("To more expertise")
    HIERARCHICAL = "hierarchical", _("To more authority")


class Trigger(models.TextChoices):
    AGENT = "agent", _("Agent")
    RULE = "rule", _("Rule")
    CUSTOMER = "customer", _("Customer")
    LEAD = "lead", _("Lead")


class State(models.TextChoices):
    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    RETURNED = "returned", _("Returned")
    RESOLVED = "resolved", _("Resolved")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    DE_ESCALATED = "de_escalated", _("De-escalated")


OPEN = (State.OFFERED, State.ACCEPTED, State.RETURNED)


class Nature(models.TextChoices):
    EXPERTISE = "expertise", _("Needs expertise we do not have here")
    ACCESS = "access", _("Needs access we do not have here")
    OVERDUE = "overdue", _("Has waited too long")
    REOPENED = "reopened", _("Keeps coming back")
    ASKED = "customer_asked", _("The customer asked for it")
    AUTHORITY = "authority", _("Needs a decision")


class EscalationQuerySet(models.QuerySet["Escalation"]):
    def open(self) -> EscalationQuerySet:
        return self.filter(state__in=OPEN)


class Escalation(models.Model):
    """A ticket needs expertise or authority it does not have where it is.

    ``number`` counts a ticket's escalations of one kind; together they make ``key``,
    under which everything the escalation owes (letters, reminders) is owed once.
    """

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, db_index=False, related_name="escalations"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    number = models.PositiveIntegerField(_("number"))
    trigger = models.CharField(_("trigger"), max_length=8, choices=Trigger.choices)
    rule_key = models.CharField(_("rule"), max_length=80, blank=True)
    nature = models.CharField(_("nature"), max_length=40, choices=Nature.choices)
    urgency = models.PositiveSmallIntegerField(_("urgency"))
    reason = models.TextField(_("reason"), blank=True, max_length=2000)
    tried = models.TextField(_("what was tried"), blank=True, max_length=4000)
    ask = models.TextField(_("what is asked"), blank=True, max_length=2000)
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    owner = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_escalations",
        verbose_name=_("escalation owner"),
    )
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    #: What asks by it narrows by other columns first, and a published version never goes, so that an
    #: index would only cost; throwing a draft away reads the table.
    procedure_version = models.ForeignKey(
        ProcedureVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("procedure version"),
    )
    incomplete = models.BooleanField(_("incomplete"), default=False)
    missing = models.JSONField(_("missing details"), default=list, blank=True)
    override_reason = models.CharField(_("why the gate was passed"), max_length=500, blank=True)
    opened_at = models.DateTimeField(_("escalated"))
    opened_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("escalated by"),
    )
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    outcome = models.TextField(_("outcome"), blank=True, max_length=4000)
    cause = models.CharField(_("cause"), max_length=500, blank=True)
    hops = models.PositiveSmallIntegerField(_("hand-offs"), default=1)

    objects = EscalationQuerySet.as_manager()

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        ordering = ("-opened_at", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=("ticket", "kind"),
                condition=Q(state__in=OPEN),
                name="escalation_open_once_per_kind",
            ),
            models.UniqueConstraint(
                fields=("ticket", "kind", "number"), name="escalation_number_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, ended_at__isnull=True)
                | Q(~Q(state__in=OPEN), ended_at__isnull=False),
                name="escalation_ended_or_open",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | Q(owner__isnull=False),
                name="escalation_accepted_has_an_owner",
            ),
            models.CheckConstraint(
                condition=~Q(trigger="rule") | ~Q(rule_key=""),
                name="escalation_by_rule_names_it",
            ),
        ]
        indexes = [
            models.Index(
                fields=("opened_at", "id"),
                condition=Q(state__in=OPEN),
                name="escalation_open_by_age",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        return f"HD-{self.ticket_id}:{self.kind}:{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class HandoffOutcome(models.TextChoices):
    PENDING = "pending", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    SENT_BACK = "sent_back", _("Sent back")
    HANDED_ON = "handed_on", _("Handed on")
    ENDED = "ended", _("Ended with the escalation")


class ReturnReason(models.TextChoices):
    DETAILS_MISSING = "details_missing", _("Details are missing")
    WRONG_TEAM = "wrong_team", _("Belongs to another team")
    KNOWN_ANSWER = "known_answer", _("The answer is known")
    NOT_REPRODUCIBLE = "not_reproducible", _("Cannot be reproduced")
    OTHER = "other", _("Something else")


class HandoffQuerySet(models.QuerySet["Handoff"]):
    def pending(self) -> HandoffQuerySet:
        return self.filter(outcome=HandoffOutcome.PENDING)

    def addressed_to(self, user: User) -> HandoffQuerySet:
        """Those that reach this person: their own, their teams', and whom they stand in for now."""
        # The database's clock: whose absence it is must not depend on which page asks.
        absent = Absence.objects.at(Now()).filter(backup=user).values("user")
        return self.filter(
            Q(to_user=user)
            | Q(to_user__in=absent)
            | Q(to_user=None, to_team__in=user.teams.values("pk"))
            | Q(to_team__in=user.led_teams.values("pk"))
            | Q(to_team__on_call=user)
        )


class Handoff(models.Model):
    """One transfer of an escalation, with the package it carried, frozen.

    ``path`` lists the steps due while nobody accepts, as they were shown in advance;
    ``Step`` rows say which of them fired.
    """

    escalation = models.ForeignKey(
        Escalation, on_delete=models.CASCADE, db_index=False, related_name="handoffs"
    )
    number = models.PositiveSmallIntegerField(_("number"))
    from_team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    to_team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="handoffs", verbose_name=_("to team")
    )
    to_user = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="handoffs",
        verbose_name=_("to person"),
    )
    offered_at = models.DateTimeField(_("offered"))
    offered_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    accept_by = models.DateTimeField(_("accept by"))
    path = models.JSONField(_("path"), default=list)
    package = models.JSONField(_("package"), default=dict)
    note = models.TextField(_("note"), blank=True, max_length=4000)
    outcome = models.CharField(
        _("outcome"),
        max_length=10,
        choices=HandoffOutcome.choices,
        default=HandoffOutcome.PENDING,
    )
    outcome_at = models.DateTimeField(_("outcome at"), null=True, blank=True)
    outcome_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    reason_code = models.CharField(
        _("reason"), max_length=20, choices=ReturnReason.choices, blank=True
    )
    reason = models.TextField(_("in words"), blank=True, max_length=2000)
    missing = models.JSONField(_("missing details"), default=list, blank=True)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        verbose_name = _("hand-off")
        verbose_name_plural = _("hand-offs")
        ordering = ("escalation", "number")
        constraints = [
            models.UniqueConstraint(fields=("escalation", "number"), name="handoff_number_once"),
            models.UniqueConstraint(
                fields=("escalation",),
                condition=Q(outcome="pending"),
                name="handoff_pending_once",
            ),
            models.CheckConstraint(
                condition=Q(outcome="pending", outcome_at__isnull=True)
                | Q(~Q(outcome="pending"), outcome_at__isnull=False),
                name="handoff_pending_or_answered",
            ),
        ]
        indexes = [
            models.Index(
                fields=("to_team", "accept_by"),
                condition=Q(outcome="pending"),
                name="handoff_offers_by_team",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.escalation_id}/{self.number}"


class Step(models.Model):
    """A step of the escalation path that fired. Append-only."""

    handoff = models.ForeignKey(
        Handoff, on_delete=models.CASCADE, db_index=False, related_name="steps"
    )
    number = models.PositiveSmallIntegerField(_("number"))
    action = models.CharField(_("action"), max_length=16)
    fired_at = models.DateTimeField(_("fired"))
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering = ("handoff", "number")
        constraints = [
            models.UniqueConstraint(fields=("handoff", "number"), name="step_fires_once"),
        ]

    def __str__(self) -> str:
        return f"{self.handoff_id}/{self.number} {self.action}"


class Decision(models.Model):
    """Why a rule escalated a ticket: the facts it saw and its reasons. Append-only."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, db_index=False, related_name="decisions"
    )
    escalation = models.OneToOneField(
        Escalation, on_delete=models.CASCADE, null=True, blank=True, related_name="decision"
    )
    at = models.DateTimeField(_("at"))
    rule_key = models.CharField(_("rule"), max_length=80)
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    reasons = models.JSONField(_("reasons"), default=list)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ("-at", "-pk")
        indexes = [models.Index(fields=("ticket", "rule_key", "-at"), name="decision_by_ticket")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.rule_key}"


class TrainingOverride(models.Model):
    """Why somebody went on without the completion of the procedure that the policy requires."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="training_overrides")
    reason = models.TextField(_("why"))
    at = models.DateTimeField(_("at"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("training override")
        verbose_name_plural = _("training overrides")
        ordering = ("ticket", "at")

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.user_id}"


class ChecklistTick(models.Model):
    """An item of the procedure's checklist that a person ticked by hand."""

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="ticks")
    item = models.SlugField(_("item"))
    at = models.DateTimeField(_("at"))
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("tick")
        verbose_name_plural = _("ticks")
        ordering = ("escalation", "at")
        constraints = [
            models.UniqueConstraint(fields=("escalation", "item"), name="checklist_item_once"),
        ]

    def __str__(self) -> str:
        return f"{self.escalation_id} {self.item}"
