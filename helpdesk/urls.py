"""Every address, by app. Pages that show several apps live in ``desk``."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("desk.api.urls")),
    path("", include("helpdesk.health.urls")),
]

# Each app brings its own, as soon as it has any.
urlpatterns += [
    path("", include(f"{app}.urls"))
    for app in ("desk", "escalation", "tickets", "notifications", "staff")
    if find_spec(f"{app}.urls")
]

handler400 = "helpdesk.toolarge.bad_request"
handler500 = "helpdesk.broken.server_error"
