"""The demo's tickets go, and all that hangs on them, so that it can be played anew.

Configuration stays as people have left it: calendars, teams, customers, categories, policies, texts.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from helpdesk.demo.customers import CUSTOMERS
from notifications.models import Notification, OutgoingEmail
from tickets.errors import Refused
from tickets.models import Attachment, InboundEmail, Ticket

#: Nobody real writes from there; what came from there while people tried the desk is the demo's.
OURS: Q = reduce(
    or_, (Q(requester__email__iendswith=f"@{each.domain}") for each in CUSTOMERS.values())
)


def foreign() -> QuerySet[Ticket]:
    """Tickets that are not the demo's: somebody else than its customers asked."""
    return Ticket.objects.exclude(OURS)


@transaction.atomic
def clear() -> int:
    """Remove the demo's tickets, letters, notices and files; returns how many tickets went.

    Raises ``Refused``, and removes nothing, where there are tickets of anybody else.
    """
    if (other := foreign().order_by("pk").first()) is not None:
        raise Refused(
            _(
                "%(count)d tickets are not the demo's (%(ref)s is the first); the demo is played"
                " again only on a desk without others."
            )
            % {"count": foreign().count(), "ref": other.reference}
        )
    # The tickets first, as everybody does.
    tickets = list(Ticket.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    files = list(
        Attachment.objects.filter(message__ticket__in=tickets).values_list("file", flat=True)
    )
    about = [f"ticket:{number}" for number in tickets]
    InboundEmail.objects.filter(ticket__in=tickets).delete()
    Ticket.objects.filter(pk__in=tickets).delete()
    OutgoingEmail.objects.filter(about__in=about).delete()
    Notification.objects.filter(about__in=about).delete()
    transaction.on_commit(lambda: _forget(files))
    return len(tickets)


def _forget(files: list[str]) -> None:
    for name in files:
        default_storage.delete(name)
