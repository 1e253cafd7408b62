from django.urls import path

from desk.views import escalate, escalations, offers, ticket

urlpatterns = [
    path("offers/", offers.offers, name="offers"),
    path("escalations/", escalations.escalations, name="escalations"),
    path("tickets/<str:reference>/", ticket.ticket, name="ticket"),
    path("tickets/<str:reference>/escalate/", escalate.escalate, name="escalate"),
    path("tickets/<str:reference>/escalate/letter/", escalate.letter, name="letter-preview"),
    path("tickets/<str:reference>/attachments/<int:pk>/", ticket.attachment, name="attachment"),
    path(
        "tickets/<str:reference>/follow-ups/<int:pk>/done/",
        ticket.follow_up_done,
        name="follow-up-done",
    ),
    path(
        "tickets/<str:reference>/escalations/<int:pk>/<str:action>/",
        ticket.act_on_escalation,
        name="act-on-escalation",
    ),
    path("tickets/<str:reference>/<str:action>/", ticket.act, name="act"),
]
