"""Vendure 3.7.3 as recorded: the JSON files beside this one are its own answers to the client's own documents.

The catalogue is Vendure's sample, with a second seller's channel in yen, a channel without a seller, and one variant
each whose stock is not counted (2), that is disabled (3), and that has a picture of its own (4).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from apps.egress import OutboundSession
from apps.integrations.connectors.vendure import client as graphql
from apps.integrations.connectors.vendure.client import VendureClient

ADDRESS = "https://shop.example.com"
ENDPOINT = f"{ADDRESS}/admin-api"


def recorded(name: str) -> dict[str, Any]:
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text())


@dataclass
class Vendure:
    """The far end of the session: plays recorded answers, and pages through `variants` once there are any."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    variants: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[requests.PreparedRequest] = field(default_factory=list)

    def __call__(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        self.asked.append(request)
        question = json.loads(request.body)
        if self.variants and question["query"] == graphql.VARIANTS:
            return 200, self.headers, json.dumps(self._page(**question["variables"]))
        return 200, self.headers, json.dumps(self.answers[question["query"]])

    def _page(self, *, skip: int, take: int) -> dict[str, Any]:
        answer = recorded("variants")
        answer["data"]["productVariants"] = {
            "totalItems": len(self.variants),
            "items": self.variants[skip : skip + take],
        }
        return answer


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def vendure(web: responses.RequestsMock) -> Vendure:
    server = Vendure(
        answers={
            graphql.SERVER: recorded("server"),
            graphql.CHANNELS: recorded("channels"),
            graphql.CHANNEL: recorded("channel"),
            graphql.VARIANTS: recorded("variants"),
            graphql.LOG_IN: recorded("login"),
        },
        headers={"vendure-auth-token": "a-session-token"},
    )
    web.add_callback(responses.POST, ENDPOINT, callback=server)
    return server


@pytest.fixture
def client() -> VendureClient:
    return VendureClient(OutboundSession(), address=ADDRESS)
