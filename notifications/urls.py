from django.urls import path

from notifications import views

app_name = "notifications"

urlpatterns = [
    path("mail/", views.mail_list, name="mail"),
    path("mail/<int:pk>/", views.mail_detail, name="mail_detail"),
    path("mail/<int:pk>/html/", views.mail_html, name="mail_html"),
]
