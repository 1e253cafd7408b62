from django.urls import path, re_path

from desk.api import (
    addresses,
    conversation,
    customers,
    details,
    endings,
    events,
    followups,
    root,
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
        )
    ),
    # Whatever is added comes before this.
    re_path(r"^.*$", root.Nowhere.as_view(), name="nowhere"),
]
