"""Whether we answer (Otter, contracts 3.3); and the pages that describe the API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .description import document
from .errors import CODES
from .routes import operation

DESCRIBES = cache_control(public=True, max_age=300)


class Pong(serializers.Serializer):
    response = serializers.CharField()
    currentTime = serializers.DateTimeField()


@operation("See whether we answer", tag="Ping", answers={200: Pong})
def ping(request: Request) -> Response:
    """For monitoring a client's credentials."""
    return Response({"response": "pong", "currentTime": timezone.now().isoformat()})


@DESCRIBES
@require_safe
@condition(etag_func=lambda request: document()[1])
def openapi(request: HttpRequest) -> HttpResponse:
    """The description itself."""
    return HttpResponse(document()[0], content_type="application/json", headers={"Content-Language": "en"})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The description as a page to read, and to try calls from."""
    return render(request, "api/docs.html")


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """Every code an error can have: where the `type` of a problem leads."""
    codes = [{"code": code, "status": status, "title": title} for code, (status, title) in CODES.items()]
    return render(request, "api/errors.html", {"codes": sorted(codes, key=lambda one: (one["status"], one["code"]))})
