from django.urls import path

from desk.training.views import check, contents

urlpatterns = [
    path("", contents.contents, name="training"),
    path("<slug:slug>/", contents.procedure, name="procedure"),
    path("<slug:slug>/check/", check.check, name="check"),
    path("<slug:slug>/check/<int:pk>/", check.attempt, name="attempt"),
]
