"""Whether we answer (Otter, contracts 3.3)."""

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .routes import operation


class Pong(serializers.Serializer):
    response = serializers.CharField()
    currentTime = serializers.DateTimeField()


@operation("See whether we answer", tag="Ping", answers={200: Pong})
def ping(request: Request) -> Response:
    """For monitoring a client's credentials."""
    return Response({"response": "pong", "currentTime": timezone.now().isoformat()})
