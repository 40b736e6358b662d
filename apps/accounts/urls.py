"""The team, and invitations."""

from django.urls import path

from . import views

urlpatterns = [
    path("team/", views.team_page, name="team"),
    path("team/invitations/<int:pk>/send/", views.resend, name="resend-invitation"),
    path("team/invitations/<int:pk>/withdraw/", views.withdraw, name="withdraw-invitation"),
    path("team/<int:pk>/role/", views.change_role, name="change-role"),
    path("team/<int:pk>/remove/", views.remove, name="remove-member"),
    path("invitations/<str:token>/", views.accept, name="accept-invitation"),
]
