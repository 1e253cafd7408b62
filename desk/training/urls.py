from django.urls import path

from desk.training.views import (
    authoring,
    changes,
    check,
    contents,
    editing,
    procedures,
    questions,
)

urlpatterns = [
    path("", contents.contents, name="training"),
    path("procedures/", procedures.all_of_them, name="procedures"),
    path("procedures/new/", editing.first, name="procedure-new"),
    path("<slug:slug>/", contents.procedure, name="procedure"),
    path("<slug:slug>/check/", check.check, name="check"),
    path("<slug:slug>/check/<int:pk>/", check.attempt, name="attempt"),
    path("<slug:slug>/questions/", questions.questions, name="questions"),
    path("<slug:slug>/changes/", changes.since, name="procedure-changes"),
    path("<slug:slug>/owner/", procedures.hand_over, name="procedure-owner"),
    path("<slug:slug>/versions/", authoring.versions_of, name="procedure-versions"),
    path("<slug:slug>/versions/new/", editing.following, name="procedure-next"),
    path("<slug:slug>/versions/<int:number>/", authoring.one, name="procedure-version"),
    path("<slug:slug>/versions/<int:number>/edit/", editing.edit, name="procedure-edit"),
    path("<slug:slug>/versions/<int:number>/files/", authoring.files, name="procedure-files"),
    path("<slug:slug>/versions/<int:number>/<slug:action>/", authoring.act, name="procedure-act"),
]
