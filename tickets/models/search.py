from __future__ import annotations

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class SearchEntry(models.Model):
    """The words a ticket can be found by; written by the database's triggers alone.

    ``head`` holds the reference and subject (weight A), the requester (B), details and
    names of files (C); ``talk`` what was said (D). Of the organization it holds the number alone, as
    a word nobody can write: names are looked up when asked for. An index holds head and talk
    together; it and the triggers stand in migration 0006.
    """

    ticket = models.OneToOneField(
        Ticket,
        # The database's own constraint deletes it, whoever deletes the ticket.
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="search_entry",
        verbose_name=_("ticket"),
    )
    touched_at = models.DateTimeField(_("last said"))
    length = models.PositiveIntegerField(_("characters said"))
    head = SearchVectorField(_("head"))
    talk = SearchVectorField(_("talk"))

    class Meta:
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")

    def __str__(self) -> str:
        return f"HD-{self.ticket_id}"
