"""The owner's pages of who hears from us, and of what went out and came in."""

from django.urls import path

from . import filter_views, hook_views, message_views

urlpatterns = [
    path("hooks/", hook_views.hooks, name="hooks"),
    path("hooks/add/", hook_views.add_hook, name="add-hook"),
    path("hooks/messages/", message_views.message_log, name="messages"),
    path("hooks/messages/out/<int:pk>/", message_views.message_out, name="message-out"),
    path("hooks/messages/out/<int:pk>/again/", message_views.replay_out, name="replay-out"),
    path("hooks/messages/in/<uuid:pk>/", message_views.message_in, name="message-in"),
    path("hooks/messages/in/<uuid:pk>/again/", message_views.replay_in, name="replay-in"),
    path("hooks/only-if/<uuid:pk>/", filter_views.hook_filter, name="hook-filter"),
    path("hooks/<uuid:pk>/", hook_views.hook, name="hook"),
    path("hooks/<uuid:pk>/address/", hook_views.change_address, name="hook-address"),
    path("hooks/<uuid:pk>/events/", hook_views.change_events, name="hook-events"),
    path("hooks/<uuid:pk>/secret/", hook_views.rotate_secret, name="hook-secret"),
    path("hooks/<uuid:pk>/again/", message_views.replay_failed, name="replay-failed"),
    path("hooks/<uuid:pk>/test/", hook_views.test_hook, name="test-hook"),
    path("hooks/<uuid:pk>/pause/", hook_views.pause_hook, name="pause-hook"),
    path("hooks/<uuid:pk>/resume/", hook_views.resume_hook, name="resume-hook"),
    path("hooks/<uuid:pk>/remove/", hook_views.remove_hook, name="remove-hook"),
]
