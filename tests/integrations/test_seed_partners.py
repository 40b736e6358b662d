import base64
import json

import pytest
from django.core.management import CommandError, call_command

from apps.api.tokens import new_token
from apps.audit.trail import Actor
from apps.integrations import customizing
from apps.integrations.models import ApiKey, Application, Integration, PartnerConnector
from tests.factories import make_member


@pytest.fixture
def secrets(db, settings) -> dict[str, str]:
    settings.DEMO = True
    kinds = {"client_secret": "xds", "integration_key": "xdi", "connector_key": "xdc", "user_key": "xdu"}
    organization = str(make_member().organization.pk)
    return {"organization": organization} | {name: new_token(prefix) for name, prefix in kinds.items()}


def seed(capsys, secrets: dict[str, str]) -> dict:
    call_command("seed_partners", **secrets)
    return json.loads(capsys.readouterr().out)


def ping(client, partner: dict) -> int:
    pair = base64.b64encode(f"{partner['client_id']}:{partner['client_secret']}".encode()).decode()
    return client.get("/api/v1/ping", headers={"Authorization": f"Basic {pair}"}).status_code


def headers(key: str) -> dict[str, str]:
    return {"X-Api-Key": key}


def counts() -> list[int]:
    return [model.objects.count() for model in (PartnerConnector, Application, Integration, ApiKey)]


def test_the_demo_has_an_application_and_a_key_that_work(client, secrets, capsys):
    seeded = seed(capsys, secrets)
    assert ping(client, seeded["partner"]) == 200
    owned = {name: headers(seeded[name]) for name in ("integration_key", "connector_key", "user_key")}
    answers = {name: client.get("/api/v1/keys/self", headers=header).json() for name, header in owned.items()}
    assert answers["integration_key"]["integrationId"] == seeded["integration_id"]
    assert answers["connector_key"]["connectorId"] == seeded["connector_id"]
    assert {name: answer["state"] for name, answer in answers.items()} == dict.fromkeys(owned, "live")


def test_seeding_twice_makes_nothing_twice(secrets, capsys):
    assert seed(capsys, secrets) == seed(capsys, secrets)
    assert counts() == [2, 1, 1, 3]


def test_the_secrets_of_a_new_checkout_take_over_in_a_database_of_before(client, secrets, capsys):
    before = seed(capsys, secrets)
    after = seed(capsys, secrets | {"client_secret": new_token("xds")})
    assert before["partner"]["client_id"] == after["partner"]["client_id"]
    assert (ping(client, before["partner"]), ping(client, after["partner"])) == (401, 200)
    assert counts() == [2, 1, 1, 3]


def test_a_key_that_was_ended_while_trying_comes_back(client, secrets, capsys):
    seeded = seed(capsys, secrets)
    customizing.discard(PartnerConnector.objects.get(pk=seeded["connector_id"]), actor=Actor("somebody"))
    assert client.get("/api/v1/keys/self", headers=headers(seeded["integration_key"])).status_code == 401
    again = seed(capsys, secrets)
    found = client.get("/api/v1/keys/self", headers=headers(again["integration_key"])).json()
    assert found["integrationId"] == again["integration_id"] != seeded["integration_id"]


def test_a_real_portal_gets_no_application_with_a_secret_in_a_file(secrets, settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="only runs with DEMO=1"):
        call_command("seed_partners", **secrets)
    assert counts() == [0, 0, 0, 0]
