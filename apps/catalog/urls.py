"""The port of the manual warehouse."""

from django.urls import path

from . import views

urlpatterns = [
    path("port/", views.port, name="port"),
    path("port/<uuid:organization>/", views.search, name="port-search"),
    path("port/<uuid:organization>/<int:pk>/", views.product, name="port-product"),
    path("port/<uuid:organization>/<int:pk>/why/", views.why, name="port-why"),
]
