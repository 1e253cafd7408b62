from django.urls import path, re_path

from desk.api import (
    addresses,
    catalogue,
    conversation,
    customers,
    deliveries,
    details,
    endings,
    escalationactions,
    escalations,
    events,
    explaining,
    followups,
    promises,
    root,
    staffing,
    tickets,
)

addresses.register()

app_name = "api"

urlpatterns = [
    path("schema/", root.SchemaView.as_view(), name="schema"),
    path("organizations/", customers.Organizations.as_view(), name="organizations"),
    path("organizations/<id:pk>/", customers.OneOrganization.as_view(), name="organization"),
    path("contacts/", customers.Contacts.as_view(), name="contacts"),
    path("contacts/<id:pk>/", customers.OneContact.as_view(), name="contact"),
    path("tickets/", tickets.Tickets.as_view(), name="tickets"),
    path("tickets/<ticket:ticket>/", tickets.OneTicket.as_view(), name="ticket"),
    *(
        path(f"tickets/<ticket:ticket>/{address}/", view.as_view(), name=name)
        for address, view, name in (
            ("messages", conversation.Messages, "messages"),
            ("attachments/<id:pk>", conversation.OneAttachment, "attachment"),
            ("details", details.Details, "details"),
            ("details/<key:key>", details.OneDetail, "detail"),
            ("ask", details.Ask, "ask"),
            ("follow-ups", followups.FollowUps, "follow-ups"),
            ("follow-ups/<id:pk>/done", followups.Done, "follow-up-done"),
            ("resolve", endings.Resolve, "resolve"),
            ("close", endings.Close, "close"),
            ("reopen", endings.Reopen, "reopen"),
            ("snooze", endings.SnoozeTicket, "snooze"),
            ("unsnooze", endings.Unsnooze, "unsnooze"),
            ("events", events.Events, "events"),
            ("escalations", escalations.OfATicket, "ticket-escalations"),
            ("promises", promises.Promises, "promises"),
            ("new-time", promises.NewTime, "new-time"),
            ("update", promises.Update, "update"),
            ("decisions", explaining.Decisions, "decisions"),
            ("explanation", explaining.Explain, "explanation"),
            ("deliveries", deliveries.Deliveries, "deliveries"),
        )
    ),
    path("escalations/", escalations.Escalations.as_view(), name="escalations"),
    path("escalations/<id:pk>/", escalations.OneEscalation.as_view(), name="escalation"),
    *(
        path(f"escalations/<id:pk>/{address}/", view.as_view(), name=f"escalation-{address}")
        for address, view in (
            ("accept", escalationactions.Accept),
            ("accept-for", escalationactions.AcceptFor),
            ("decline", escalationactions.Decline),
            ("send-back", escalationactions.SendBack),
            ("hand-on", escalationactions.HandOn),
            ("offer-again", escalationactions.OfferAgain),
            ("withdraw", escalationactions.Withdraw),
            ("de-escalate", escalationactions.DeEscalate),
            ("resolve", escalationactions.Resolve),
            ("reassign", escalationactions.Reassign),
        )
    ),
    path("staff/", staffing.Staff.as_view(), name="staff"),
    path("teams/", staffing.Teams.as_view(), name="teams"),
    path("tiers/", staffing.Tiers.as_view(), name="tiers"),
    path("categories/", catalogue.Categories.as_view(), name="categories"),
    path("plans/", catalogue.Plans.as_view(), name="plans"),
    # Whatever is added comes before this. An address may hold ends of lines, too.
    re_path(r"^[\s\S]*$", root.Nowhere.as_view(), name="nowhere"),
]
