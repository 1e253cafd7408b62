from tickets.models.customers import (
    Category,
    CategoryTeam,
    Contact,
    Organization,
    OrganizationDomain,
    Plan,
    RequiredDetail,
)
from tickets.models.followup import FollowUp
from tickets.models.mailin import InboundEmail
from tickets.models.portal import PortalKey, PortalSession
from tickets.models.search import SearchEntry
from tickets.models.snooze import Snooze
from tickets.models.ticket import (
    Attachment,
    Detail,
    Event,
    Message,
    Ticket,
)

__all__ = [
    "Attachment",
    "Category",
    "CategoryTeam",
    "Contact",
    "Detail",
    "Event",
    "FollowUp",
    "InboundEmail",
    "Message",
    "Organization",
    "OrganizationDomain",
    "Plan",
    "PortalKey",
    "PortalSession",
    "RequiredDetail",
    "SearchEntry",
    "Snooze",
    "Ticket",
]
