from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from staff.models import User
from training.agreement import main_language
from training.course import Course
from training.coursetext import read_course


@lru_cache(maxsize=64)
def _read(text: str) -> Course:
    """A text is read once (18 ms) and shown many times; what is published never changes."""
    return read_course(text)


class Procedure(models.Model):
    """How something is done here; what it says stands in its versions."""

    slug = models.SlugField(_("slug"), unique=True, max_length=40)
    owner = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
        help_text=_("Is reminded when a version has to be looked at again."),
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("procedure")
        verbose_name_plural = _("procedures")
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return f"/training/{self.slug}/"


class VersionState(models.TextChoices):
    DRAFT = "draft", _("draft")
    REVIEW = "review", _("in review")
    PUBLISHED = "published", _("published")


class ProcedureVersionQuerySet(models.QuerySet["ProcedureVersion"]):
    def published(self) -> ProcedureVersionQuerySet:
        return self.filter(state=VersionState.PUBLISHED)

    def in_force(self, *, at: datetime) -> ProcedureVersionQuerySet:
        """The version of each procedure that is in force at a moment."""
        return (
            self.published()
            .filter(effective_at__lte=at)
            .order_by("procedure_id", "-number")
            .distinct("procedure_id")
        )

    def newest(self) -> ProcedureVersionQuerySet:
        """The newest published version of each procedure, in force already or not yet."""
        return self.published().order_by("procedure_id", "-number").distinct("procedure_id")


class ProcedureVersion(models.Model):
    """One state of a procedure, in every language it is written in; never changed once published.

    ``texts`` holds each language's text as it was written, so that what is exported is what was
    imported. What is asked of a table (dates, the note, the changed steps) is repeated in columns;
    the texts agree on it. ``title`` and ``change_note`` are those of the language that names the
    version, and ``words`` has them (``title``, ``change``) by language.
    """

    procedure = models.ForeignKey(Procedure, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(
        _("state"), max_length=9, choices=VersionState.choices, default=VersionState.DRAFT
    )
    texts = models.JSONField(_("texts"))
    title = models.CharField(_("title"), max_length=120)
    change_note = models.TextField(_("what changed"), max_length=1_000)
    words = models.JSONField(
        _("title and change by language"),
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
    )
    changed_steps = ArrayField(
        models.CharField(max_length=40), verbose_name=_("changed steps"), default=list, blank=True
    )
    effective_on = models.DateField(_("in force from"))
    review_by = models.DateField(_("look at it again by"))
    valid_days = models.PositiveIntegerField(_("days a completion counts"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(_("last changed"))
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    submitted_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    returned_note = models.TextField(_("why it was given back"), blank=True, max_length=1_000)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    published_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    effective_at = models.DateTimeField(_("in force since"), null=True, blank=True)

    objects = ProcedureVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("procedure version")
        verbose_name_plural = _("procedure versions")
        ordering = ("procedure", "-number")
        constraints = [
            models.UniqueConstraint(fields=("procedure", "number"), name="procedure_version_once"),
            models.UniqueConstraint(
                fields=("procedure",),
                condition=~Q(state=VersionState.PUBLISHED),
                name="procedure_has_one_unpublished_version",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=VersionState.PUBLISHED,
                    published_at__isnull=False,
                    effective_at__isnull=False,
                )
                | (~Q(state=VersionState.PUBLISHED) & Q(published_at=None, effective_at=None)),
                name="procedure_version_is_published_at_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.procedure.slug} v{self.number}"

    def get_absolute_url(self) -> str:
        if not self.is_published:
            return self.page
        return f"{self.procedure.get_absolute_url()}?version={self.number}"

    @property
    def name(self) -> str:
        """The title in the reader's language, or else in the one that names the version."""
        return self._said("title", self.title)

    @property
    def change(self) -> str:
        """What changed in it, in the reader's language or else in the one that names the version."""
        return self._said("change", self.change_note)

    def _said(self, what: str, otherwise: str) -> str:
        return str(self.words.get(get_language() or "", {}).get(what, otherwise))

    @property
    def page(self) -> str:
        """Where its authors find it, in whichever state."""
        return f"{self.procedure.get_absolute_url()}versions/{self.number}/"

    @property
    def is_published(self) -> bool:
        return self.state == VersionState.PUBLISHED

    @cached_property
    def courses(self) -> Mapping[str, Course]:
        """What the version says, by language."""
        return {language: _read(text) for language, text in self.texts.items()}

    def course(self, language: str) -> Course:
        """The course in a reader's language, or else in the one that names the version."""
        return self.courses[language if language in self.texts else main_language(self.texts)]


class LessonVideo(models.Model):
    """The lesson as a video in one language, with the captions it must have.

    Versions may share a file, which stands under a name of our own.
    """

    version = models.ForeignKey(ProcedureVersion, on_delete=models.CASCADE, related_name="videos")
    language = models.CharField(_("language"), max_length=12)
    file = models.FileField(_("video"), upload_to="lessons/%Y/%m/", max_length=200)
    mime = models.CharField(_("type"), max_length=40)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.BinaryField(_("SHA-256"), max_length=32)
    captions = models.TextField(_("captions (WebVTT)"))
    added_at = models.DateTimeField(_("added"))
    added_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("lesson video")
        verbose_name_plural = _("lesson videos")
        ordering = ("language",)
        constraints = [
            models.UniqueConstraint(fields=("version", "language"), name="lesson_video_once"),
        ]

    def __str__(self) -> str:
        return f"{self.version} ({self.language})"
