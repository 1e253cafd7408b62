from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class SearchEntry(models.Model):
    """The words a ticket can be found by; written by the database's triggers alone.

    Reference and subject (weight A), the requester (B), details and names of files (C), what was
    said (D). Of the organization it holds the number alone, as a word nobody can write: names are
    looked up when asked for. The triggers stand in migration 0006.
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
    doc = SearchVectorField(_("words"))

    class Meta:
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")
        indexes = [
            # What waits to be put in place is read by every search: little is let wait.
            GinIndex(fields=("doc",), gin_pending_list_limit=1024, name="search_entry_words"),
            models.Index(fields=("touched_at",), name="search_entry_newest"),
        ]

    def __str__(self) -> str:
        return f"HD-{self.ticket_id}"
