from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class MailTemplateQuerySet(models.QuerySet["MailTemplate"]):
    def in_force(self) -> MailTemplateQuerySet:
        """The newest version of each text, by key and language."""
        return self.order_by("key", "language", "-version").distinct("key", "language")


class MailTemplate(models.Model):
    """The text of one kind of mail in one language; a change makes a new version.

    Versions are never changed, so that what a letter was made from can be told afterwards.
    """

    key = models.CharField(_("kind of mail"), max_length=40)
    language = models.CharField(_("language"), max_length=16)
    version = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"), max_length=10_000)
    shipped = models.BooleanField(
        _("shipped"), default=False, help_text=_("A default text; an update may bring a newer one.")
    )
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )

    objects = MailTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail text")
        verbose_name_plural = _("mail texts")
        ordering = ("key", "language", "-version")
        constraints = [
            models.UniqueConstraint(
                fields=("key", "language", "version"), name="mail_text_version_once"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="mail_text_version_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.language}) v{self.version}"


class MailState(models.TextChoices):
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    CAPTURED = "captured", _("captured, not sent")
    UNCERTAIN = "uncertain", _("uncertain")
    FAILED = "failed", _("failed")
    WITHDRAWN = "withdrawn", _("withdrawn")


WITHHELD = datetime(9999, 1, 1, tzinfo=UTC)
"""When a mail goes out whose reader's address is not verified: never by itself."""


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    def about(self, subject: str | Collection[str]) -> OutgoingEmailQuerySet:
        """Mails about one thing (``ticket:1042``), or about any of several."""
        if isinstance(subject, str):
            return self.filter(about=subject)
        return self.filter(about__among=subject)

    def due(self, now: datetime) -> OutgoingEmailQuerySet:
        return self.filter(next_attempt_at__lte=now).order_by("next_attempt_at", "pk")

    def not_begun(self) -> OutgoingEmailQuerySet:
        """Mails of which nothing has been handed to a mail server yet."""
        return self.filter(
            Q(state=MailState.QUEUED, leases_lost=0)
            | Q(state=MailState.SENDING, begun_at=None, leases_lost=0)
        )

    def with_texts(self) -> OutgoingEmailQuerySet:
        """Loaded with what they are worded from, and what merged into them."""
        merged = OutgoingEmail.objects.select_related("template").order_by("pk")
        return self.select_related("template").prefetch_related(
            models.Prefetch("merged_from", merged)
        )

    def waiting(self) -> OutgoingEmailQuerySet:
        """Mails that go out by themselves, sooner or later: not those that are withheld."""
        return self.filter(next_attempt_at__isnull=False).exclude(not_before=WITHHELD)

    def withheld(self) -> OutgoingEmailQuerySet:
        """Mails that wait until their reader's address is verified."""
        return self.filter(state=MailState.QUEUED, not_before=WITHHELD)

    def to_addresses_starting(self, start: str) -> OutgoingEmailQuerySet:
        return self.annotate(to_lower=Lower("to_address")).filter(
            to_lower__startswith=start.lower()
        )


class OutgoingEmail(models.Model):
    """One mail that was decided on: the row stands before anything is sent, and stays.

    Its text is made by the mail worker from the frozen template version and variables. A mail
    whose state is *uncertain* may have arrived: the worker, or the server's answer, was lost
    while it was being handed over. It is sent once more under the same Message-ID and, if that
    is lost too, left for a person to see.
    """

    dedupe_key = models.CharField(_("dedupe key"), max_length=200)
    kind = models.CharField(_("kind of mail"), max_length=40)
    template = models.ForeignKey(
        MailTemplate,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        verbose_name=_("mail text"),
    )
    variables = models.JSONField(_("variables"), default=dict)
    to_address = models.CharField(_("to"), max_length=254)
    to_name = models.CharField(_("recipient's name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=16)
    zone = models.CharField(_("time zone"), max_length=64)
    about = models.CharField(
        _("about"),
        max_length=40,
        blank=True,
        help_text=_(
            "What the mail is about, such as ticket:1042; by word, for nothing below knows tickets."
        ),
    )
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    reply_to = models.CharField(_("reply to"), max_length=254, blank=True)
    headers = models.JSONField(_("threading headers"), default=dict, blank=True)
    thread_subject = models.CharField(_("subject in the thread"), max_length=250, blank=True)
    automatic = models.BooleanField(_("written by the system"), default=True)
    message_id = models.CharField(_("Message-ID"), max_length=255)
    state = models.CharField(
        _("state"), max_length=9, choices=MailState.choices, default=MailState.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    leases_lost = models.PositiveSmallIntegerField(
        _("answers lost"), default=0, help_text=_("How often it is unknown whether it went out.")
    )
    lease_token = models.UUIDField(_("lease"), null=True, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    begun_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    queued_at = models.DateTimeField(_("queued"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    last_error = models.TextField(_("last answer"), blank=True)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="merged_from",
        verbose_name=_("merged into"),
        help_text=_("A later letter that says this one's words, too, and goes instead of it."),
    )
    in_doubt = models.ForeignKey(
        "OutboxPause",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="letters_in_doubt",
        verbose_name=_("in doubt since"),
        help_text=_("It waited when the backup was made, and may have been sent since."),
    )

    objects = OutgoingEmailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        ordering = ("-pk",)
        indexes = [
            models.Index(
                fields=("next_attempt_at", "id"),
                name="mail_due",
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.Index(
                fields=("lease_until",), name="mail_leased", condition=Q(state=MailState.SENDING)
            ),
            models.Index(fields=("about", "id"), name="mail_about"),
            models.Index(fields=("state", "id"), name="mail_by_state"),
            models.Index(
                OpClass(Lower("to_address"), name="text_pattern_ops"),
                F("id"),
                name="mail_by_reader",
            ),
            models.Index(
                fields=("merged_into",),
                name="mail_merged",
                condition=Q(merged_into__isnull=False),
            ),
            models.Index(
                fields=("in_doubt",), name="mail_in_doubt", condition=Q(in_doubt__isnull=False)
            ),
        ]
        constraints = [
            # By constraints and not by the fields: those would each have a second index, for LIKE.
            models.UniqueConstraint(fields=("dedupe_key",), name="mail_once"),
            models.UniqueConstraint(fields=("message_id",), name="mail_message_id_once"),
            models.CheckConstraint(
                condition=Q(state__in=MailState.values), name="mail_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    state=MailState.SENDING, lease_until__isnull=False, lease_token__isnull=False
                )
                | (
                    ~Q(state=MailState.SENDING)
                    & Q(lease_until__isnull=True, lease_token__isnull=True)
                ),
                name="mail_leased_only_while_sending",
            ),
            models.CheckConstraint(
                condition=Q(state=MailState.QUEUED, next_attempt_at__isnull=False)
                | Q(state=MailState.UNCERTAIN)
                | (
                    ~Q(state__in=(MailState.QUEUED, MailState.UNCERTAIN))
                    & Q(next_attempt_at__isnull=True)
                ),
                name="mail_due_only_while_waiting",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(MailState.SENT, MailState.CAPTURED), sent_at__isnull=False)
                | (~Q(state__in=(MailState.SENT, MailState.CAPTURED)) & Q(sent_at__isnull=True)),
                name="mail_sent_at_says_when",
            ),
            models.CheckConstraint(condition=~Q(to_address=""), name="mail_has_a_recipient"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(state=MailState.WITHDRAWN),
                name="mail_merged_does_not_go",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to_address}"

    @property
    def is_withheld(self) -> bool:
        return self.state == MailState.QUEUED and self.not_before == WITHHELD

    @property
    def goes_as(self) -> OutgoingEmail:
        """The mail that says its words: itself, or the one it merged into."""
        return self.merged_into or self

    @property
    def is_merged(self) -> bool:
        return self.merged_into_id is not None

    @property
    def is_left_to_a_person(self) -> bool:
        """Whether it may have arrived, and nothing more is done about it by itself."""
        return self.state == MailState.UNCERTAIN and self.next_attempt_at is None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will be done about it."""
        return self.next_attempt_at is None and self.state != MailState.SENDING
