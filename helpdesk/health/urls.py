"""Where programs that watch us ask; without a slash at the end, as they expect it."""

from django.urls import path

from helpdesk.health import views

app_name = "health"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
