from django.urls import path

from desk.portal.views import newticket, signingin, tickets

urlpatterns = [
    path("new/", newticket.new, name="new"),
    path("new/sent/", newticket.sent, name="new-sent"),
    path("new/confirm/<str:key>/", newticket.confirm, name="new-confirm"),
    path("portal/", tickets.own, name="portal"),
    path("portal/sign-in/", signingin.ask, name="portal-sign-in"),
    path("portal/sign-in/sent/", signingin.sent, name="portal-link-sent"),
    path("portal/in/<str:key>/", signingin.enter, name="portal-enter"),
    path("portal/sign-out/", signingin.leave, name="portal-sign-out"),
    path("portal/language/", signingin.language, name="portal-language"),
    path("portal/<str:reference>/", tickets.one, name="portal-ticket"),
    path("portal/<str:reference>/files/<int:pk>/", tickets.file, name="portal-file"),
    path("portal/<str:reference>/<str:action>/", tickets.act, name="portal-act"),
]
