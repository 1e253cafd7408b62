"""Where mail providers tell what became of our letters."""

from django.urls import path

from notifications.views import hook

app_name = "notifications"
urlpatterns = [path("hooks/<slug:provider>/", hook, name="hook")]
