"""What a call's manners cost: reading the organization with a token, beside a bare DRF view that asks nothing."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api import limits
from config import urls
from tests.factories import make_access_token

from .figures import Figure, seconds

CALLS = 500  # in a row
ORGANIZATION, BARE = "/api/organization/v1/organization", "/bench/bare"


class Bare(APIView):
    """Answers the same shape without authentication, policy, limit or a question to the database."""

    authentication_classes: Any = []
    permission_classes: Any = []
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        return Response({"id": "6f3ef6a8-5ed9-4a5c-9c3f-0f5f5b2f6d67", "name": "Great Hats"})


def rounds(rows: int) -> Iterator[list[Figure]]:
    urls.urlpatterns.insert(0, path("bench/", include([path("bare", Bare.as_view())])))
    call = caller()
    while True:
        token = make_access_token()
        bare = seconds(times, call, BARE, "")
        own = seconds(times, call, ORGANIZATION, token)
        with CaptureQueriesContext(connection) as asked:
            call(ORGANIZATION, token)
        yield [
            Figure("calls", "a bare view that asks nothing", bare / own, goal=0.2),
            Figure("calls", "statements of a call", len(asked), goal=2, at_most=True),
        ]


def caller() -> Callable[[str, str], None]:
    """Calls the portal with all its middleware, and no limit on how often."""
    limits.CALLS = limits.Rate(1_000_000, 1_000_000)
    client = Client()

    def call(address: str, token: str) -> None:
        answer = client.get(address, headers={"Authorization": f"Bearer {token}"} if token else {})
        assert answer.status_code == 200, answer.content

    return call


def times(call: Callable[[str, str], None], address: str, token: str) -> None:
    for _ in range(CALLS):
        call(address, token)
