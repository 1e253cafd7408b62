"""Where mail providers tell what became of our letters, and whom we tell what happens."""

from django.urls import path

from notifications.views import webhooks
from notifications.views.hook import hook

app_name = "notifications"
urlpatterns = [
    path("hooks/<slug:provider>/", hook, name="hook"),
    path("settings/webhooks/", webhooks.all_of_them, name="webhooks"),
    path("settings/webhooks/new/", webhooks.new, name="webhook-new"),
    path("settings/webhooks/<int:pk>/", webhooks.one, name="webhook"),
    path("settings/webhooks/<int:pk>/edit/", webhooks.edit, name="webhook-edit"),
    path(
        "settings/webhooks/<int:pk>/messages/<int:message>/",
        webhooks.message,
        name="webhook-message",
    ),
    path(
        "settings/webhooks/<int:pk>/messages/<int:message>/resend/",
        webhooks.resend,
        name="webhook-resend",
    ),
    path("settings/webhooks/<int:pk>/<slug:action>/", webhooks.act, name="webhook-act"),
]
