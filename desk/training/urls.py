from django.urls import path

from desk.training.views import contents

urlpatterns = [
    path("", contents.contents, name="training"),
    path("<slug:slug>/", contents.procedure, name="procedure"),
]
