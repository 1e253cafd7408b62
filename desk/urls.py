from django.urls import include, path

from desk.views import (
    apidocs,
    calls,
    escalate,
    escalations,
    heldmail,
    home,
    mail,
    messagehtml,
    offers,
    reader,
    search,
    settings,
    statuspage,
    ticket,
    triage,
    versions,
)

app_name = "desk"

urlpatterns = [
    path("", home.home, name="home"),
    path("desk/", triage.triage, name="triage"),
    path("desk/versions", versions.versions, name="versions"),
    path("desk/single-keys", reader.single_keys, name="single-keys"),
    path("s/<str:token>/", statuspage.status, name="status"),
    path("", include("desk.portal.urls")),
    path("api/docs/", apidocs.docs, name="api-docs"),
    path("mail/", mail.mail_list, name="mail"),
    path("mail/<int:pk>/", mail.mail_detail, name="mail-letter"),
    path("mail/<int:pk>/html/", mail.mail_html, name="mail-html"),
    path("mail/held/", heldmail.held_mail, name="held-mail"),
    path("mail/held/<int:pk>/<str:action>/", heldmail.let_in, name="held-mail-act"),
    path("settings/", settings.you, name="settings"),
    path("settings/tokens/", settings.tokens, name="tokens"),
    path("settings/tokens/<int:pk>/revoke/", settings.revoke_token, name="revoke-token"),
    path("offers/", offers.offers, name="offers"),
    path("search/", search.search_page, name="search"),
    path("escalations/", escalations.escalations, name="escalations"),
    path("tickets/new/", calls.new_call, name="new-call"),
    path("tickets/<str:reference>/", ticket.ticket, name="ticket"),
    path("tickets/<str:reference>/escalate/", escalate.escalate, name="escalate"),
    path("tickets/<str:reference>/escalate/letter/", escalate.letter, name="letter-preview"),
    path("tickets/<str:reference>/attachments/<int:pk>/", ticket.attachment, name="attachment"),
    path(
        "tickets/<str:reference>/messages/<int:pk>/html/",
        messagehtml.message_html,
        name="message-html",
    ),
    path(
        "tickets/<str:reference>/messages/<int:pk>/accept/",
        ticket.accept_message,
        name="accept-message",
    ),
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
