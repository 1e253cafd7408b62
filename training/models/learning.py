from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from staff.models import Role, Team, Tier, User
from training.models.procedure import Procedure, ProcedureVersion


class Requirement(models.Model):
    """Who must know a procedure: everybody of a role, a team and a tier; what is empty, is any.

    A team's people are its members and its leads.
    """

    procedure = models.ForeignKey(
        Procedure,
        on_delete=models.CASCADE,
        related_name="requirements",
        verbose_name=_("procedure"),
    )
    role = models.CharField(_("role"), max_length=8, choices=Role.choices, blank=True)
    team = models.ForeignKey(
        Team,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("team"),
    )
    tier = models.ForeignKey(
        Tier,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("tier"),
    )
    due_days = models.PositiveSmallIntegerField(
        _("days to complete it"), default=14, help_text=_("Counted from the day of enrolment.")
    )
    created_at = models.DateTimeField(_("since"))
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("requirement")
        verbose_name_plural = _("requirements")
        ordering = ("procedure", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=("procedure", "role", "team", "tier"),
                nulls_distinct=False,
                name="requirement_once",
            ),
        ]

    def __str__(self) -> str:
        who = [str(part) for part in (self.get_role_display(), self.team, self.tier) if part]
        return f"{self.procedure}: {', '.join(who) or _('everybody')}"


class EnrollmentEnd(models.TextChoices):
    COMPLETED = "completed", _("completed")
    SUPERSEDED = "superseded", _("a newer version took its place")
    NOT_REQUIRED = "not_required", _("no longer required")


class Enrollment(models.Model):
    """Somebody is asked to complete a version by a moment.

    ``scope`` names the steps they are asked about; empty, it is all of them. It is the changed ones
    only where the version's author says so and they completed the version before. ``by_hand`` where
    ``asked_by`` asked this person, whether or not a requirement does too; one that goes leaves it
    behind.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="enrollments")
    version = models.ForeignKey(
        ProcedureVersion, on_delete=models.PROTECT, related_name="enrollments"
    )
    requirement = models.ForeignKey(
        Requirement, on_delete=models.SET_NULL, null=True, blank=True, related_name="enrollments"
    )
    scope = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    by_hand = models.BooleanField(_("asked by somebody"), default=False, db_default=False)
    asked_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    enrolled_at = models.DateTimeField(_("enrolled"))
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("last reminded"), null=True, blank=True)
    leads_told_at = models.DateTimeField(_("leads told"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end = models.CharField(
        _("how it ended"), max_length=12, choices=EnrollmentEnd.choices, blank=True
    )

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=("user", "version"),
                condition=Q(ended_at=None),
                name="enrollment_open_once",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end="") | (Q(ended_at__isnull=False) & ~Q(end="")),
                name="enrollment_ends_somehow",
            ),
        ]
        indexes = [
            models.Index(fields=("due_at",), condition=Q(ended_at=None), name="enrollment_due"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.version}"


class LessonProgress(models.Model):
    """How far somebody is in a version's lesson: the steps they saw, and where they left."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(ProcedureVersion, on_delete=models.PROTECT, related_name="+")
    seen = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    at_step = models.CharField(max_length=40, blank=True)
    at_second = models.FloatField(default=0)
    started_at = models.DateTimeField(_("begun"))
    changed_at = models.DateTimeField(_("last seen"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("progress in a lesson")
        verbose_name_plural = _("progress in lessons")
        constraints = [
            models.UniqueConstraint(fields=("user", "version"), name="lesson_progress_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.version}"


class Attempt(models.Model):
    """Somebody answers questions that were drawn for them; kept for ever, with every answer.

    ``drawn`` lists what is asked, in its order: ``{"question": key, "order": places}``, where ``order``
    is how the options were shuffled, as places in the text.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="attempts")
    version = models.ForeignKey(ProcedureVersion, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField(_("attempt"))
    scope = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    drawn = models.JSONField(_("drawn"))
    pass_mark = models.PositiveSmallIntegerField(_("pass mark"))
    started_at = models.DateTimeField(_("begun"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    right = models.PositiveSmallIntegerField(_("right answers"), default=0)
    passed = models.BooleanField(_("passed"), null=True, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=("user", "version", "number"), name="attempt_once"),
            models.UniqueConstraint(
                fields=("user", "version"),
                condition=Q(finished_at=None),
                name="attempt_open_once",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, passed=None)
                | Q(finished_at__isnull=False, passed__isnull=False),
                name="attempt_finished_is_judged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.version} · {self.number}"

    @property
    def asked(self) -> int:
        """How many questions it has."""
        return len(self.drawn)

    @property
    def score(self) -> int:
        """The percentage that was right, rounded down, so that nobody passes by rounding."""
        return self.right * 100 // self.asked if self.asked else 0


class Answer(models.Model):
    """What somebody answered; ``given`` are places of options in the text, in the order given."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="answers")
    version = models.ForeignKey(
        ProcedureVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    question = models.CharField(max_length=40)
    step = models.CharField(max_length=40)
    given = ArrayField(models.PositiveSmallIntegerField())
    right = models.BooleanField(_("right"))
    at = models.DateTimeField(_("answered"))

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=("attempt", "question"), name="answer_once"),
        ]
        indexes = [
            models.Index(
                fields=("version", "question"),
                include=("step", "right", "given"),
                name="answer_by_question",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt} · {self.question}"


class Completion(models.Model):
    """Somebody has passed a version."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="completions")
    version = models.ForeignKey(
        ProcedureVersion, on_delete=models.PROTECT, related_name="completions"
    )
    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="completion")
    score = models.PositiveSmallIntegerField(_("score"))
    at = models.DateTimeField(_("completed"))
    expires_at = models.DateTimeField(_("counts until"), null=True, blank=True)

    class Meta:
        verbose_name = _("completion")
        verbose_name_plural = _("completions")
        ordering = ("-at", "-pk")
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("at")),
                name="completion_counts_for_a_while",
            ),
        ]
        indexes = [
            models.Index(fields=("version", "user", "-at"), name="completion_by_version"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.version}"
