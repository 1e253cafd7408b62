"""The configuration of what customers have and ask, and the mails that wait for somebody.

Tickets and what is said on them are worked on at the desk, never here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from django.contrib import admin, messages
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from staff.configuration import Configuration, ConfigurationInline, History, configures
from tickets.forms import (
    ContactForm,
    OrganizationDomainForm,
    OrganizationDomainFormSet,
    RequiredDetailForm,
)
from tickets.inbound.ingest import DUPLICATE, Outcome, release, replay
from tickets.models import (
    Category,
    CategoryTeam,
    Contact,
    InboundEmail,
    Organization,
    OrganizationDomain,
    Plan,
    RequiredDetail,
    Ticket,
)
from tickets.models.mailin import InboundOutcome

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

#: Reading a mail takes up to some seconds, and a page is waiting for it.
MAILS_AT_ONCE = 20


@admin.register(Plan)
class PlanAdmin(Configuration):
    list_display = ("name", "slug", "rank", "calendar", "in_customer_zone")
    list_select_related = ("calendar",)
    search_fields = ("name", "slug")
    fixed_fields = ("slug",)
    fields = ("name", "slug", "calendar", "in_customer_zone", "rank")


class OrganizationDomainInline(ConfigurationInline):
    model = OrganizationDomain
    form = OrganizationDomainForm
    formset = OrganizationDomainFormSet
    fields = ("domain",)


@admin.register(Organization)
class OrganizationAdmin(Configuration):
    list_display = ("name", "customer_id", "plan", "zone", "account_manager")
    list_filter = ("plan",)
    list_select_related = ("plan", "account_manager")
    search_fields = ("name", "customer_id", "domains__domain")
    autocomplete_fields = ("account_manager",)
    fields = ("name", "customer_id", "plan", "zone", "account_manager")
    inlines = (OrganizationDomainInline,)


@admin.register(Contact)
class ContactAdmin(Configuration):
    form = ContactForm
    list_display = ("__str__", "email", "organization", "language", "is_escalation_contact")
    list_filter = ("is_escalation_contact", "language")
    list_select_related = ("organization",)
    search_fields = ("name", "email", "organization__name")
    autocomplete_fields = ("organization",)
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)


class RequiredDetailInline(ConfigurationInline):
    model = RequiredDetail
    form = RequiredDetailForm
    fields = ("position", "key", "label", "labels", "pattern")


class CategoryTeamInline(ConfigurationInline):
    model = CategoryTeam
    fields = ("tier", "team")
    autocomplete_fields = ("team",)


@admin.register(Category)
class CategoryAdmin(Configuration):
    list_display = ("name", "slug", "complexity")
    list_filter = ("complexity",)
    search_fields = ("name", "slug")
    autocomplete_fields = ("skills",)
    fixed_fields = ("slug",)
    fields = ("name", "slug", "complexity", "keywords", "skills")
    inlines = (RequiredDetailInline, CategoryTeamInline)


class _Work(Protocol):
    """What can be done with a mail that waits."""

    def __call__(self, *, inbound_id: int, now: datetime) -> Outcome: ...


@admin.register(InboundEmail)
class InboundEmailAdmin(History):
    list_display = ("received_at", "outcome", "envelope_from", "source", "reason", "shown_ticket")
    list_display_links = ("received_at",)
    list_filter = ("outcome",)
    search_fields = ("header_message_id", "envelope_from", "reason")
    show_full_result_count = False
    actions = ("release_mails", "try_again")
    fields = (
        "received_at",
        "outcome",
        "reason",
        "shown_ticket",
        "mailbox",
        "source",
        "envelope_from",
        "header_message_id",
        "same_id_as_another",
        "size",
        "shown_sha256",
        "attempts",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundEmail]:
        rows: QuerySet[InboundEmail] = super().get_queryset(request)
        return rows.defer("raw")

    def has_work_permission(self, request: HttpRequest) -> bool:
        return configures(request)

    @admin.display(description=_("ticket"), ordering="ticket_id")
    def shown_ticket(self, inbound: InboundEmail) -> str:
        if inbound.ticket_id is None:
            return "–"
        ticket = Ticket(pk=inbound.ticket_id)
        return format_html('<a href="{}">{}</a>', ticket.get_absolute_url(), ticket.reference)

    @admin.display(description="SHA-256")
    def shown_sha256(self, inbound: InboundEmail) -> str:
        return bytes(inbound.sha256).hex()

    @admin.action(description=_("Release (suspended)"), permissions=["work"])
    def release_mails(self, request: HttpRequest, chosen: QuerySet[InboundEmail]) -> None:
        self._work(request, chosen, release)

    @admin.action(description=_("Try again (quarantined)"), permissions=["work"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[InboundEmail]) -> None:
        self._work(request, chosen, replay)

    def _work(self, request: HttpRequest, chosen: QuerySet[InboundEmail], work: _Work) -> None:
        """Do it to each of the mails, the oldest first, and say what became of it."""
        waiting = list(chosen.order_by("received_at", "pk")[: MAILS_AT_ONCE + 1])
        for inbound in waiting[:MAILS_AT_ONCE]:
            outcome = work(inbound_id=inbound.pk, now=timezone.now())
            level, told = _told(inbound, outcome)
            messages.add_message(request, level, told)
        if len(waiting) > MAILS_AT_ONCE:
            told = gettext("That was the first %(number)s: choose the others again.")
            messages.warning(request, told % {"number": MAILS_AT_ONCE})


def _told(inbound: InboundEmail, outcome: Outcome) -> tuple[int, str]:
    """What became of a mail, in words, and how good that is."""
    if outcome.outcome == DUPLICATE:
        became = gettext("nothing was done")
        level = messages.WARNING
    else:
        became = str(InboundOutcome(outcome.outcome).label)
        done = outcome.outcome in (InboundOutcome.CREATED, InboundOutcome.APPENDED)
        level = messages.SUCCESS if done else messages.WARNING
    parts = (outcome.ticket, outcome.reason)
    told = " · ".join(part for part in (f"{inbound}: {became}", *parts) if part)
    return level, told
