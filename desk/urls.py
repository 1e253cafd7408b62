from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, path

from desk.views import home, reader, statuspage, triage, versions

app_name = "desk"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("desk/", triage.triage, name="triage"),
    path("desk/versions", versions.versions, name="versions"),
    path("desk/single-keys", reader.single_keys, name="single-keys"),
    path("s/<str:token>/", statuspage.status, name="status"),
]

if find_spec("desk.ticket_urls"):
    urlpatterns += import_module("desk.ticket_urls").urlpatterns
