"""AS-17: what is ended is ended in every process, for the very next call: no process remembers a credential."""

from collections.abc import Callable, Iterator

import pytest
import requests

from apps.accounts import closing, team
from apps.accounts.models import User
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations import consenting, keying
from tests.api.calling import basic, bearer
from tests.conftest import save_as_shown, signed_in
from tests.factories import CLIENT_SECRET, make_member, make_user
from tests.running import web_servers

from .world import World, make_world

BY = Actor("admin@foo-3pl.example")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def processes(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two web servers beside each other, at the tests' database, by their addresses."""
    with web_servers(2, logs=tmp_path_factory.mktemp("gunicorn")) as found:
        yield found


def statuses(processes: list[str], path: str, headers: dict[str, str]) -> set[int]:
    return {requests.get(f"{place}{path}", headers=headers, timeout=10).status_code for place in processes}


def revoke_the_token(world: World, place: str) -> None:
    given = {"client_id": world.registered.partner.application.client_id, "client_secret": CLIENT_SECRET}
    assert requests.post(f"{place}/oauth/revoke", given | {"token": world.token}, timeout=10).status_code == 200


def withdraw_the_consent(world: World, place: str) -> None:
    consenting.withdraw(world.registered, actor=BY)


def end_the_registration(world: World, place: str) -> None:
    itself = basic(world.registered.partner.application.client_id)
    assert requests.delete(f"{place}/api/v1/integrations/self", headers=itself, timeout=10).status_code == 204


def deactivate_the_person(world: World, place: str) -> None:
    staff = signed_in(make_user(is_staff=True, is_superuser=True))
    save_as_shown(staff, f"/admin/accounts/user/{world.owner.pk}/change/", {"is_active": ""})
    assert not User.objects.get(pk=world.owner.pk).is_active


def deactivate_the_organization(world: World, place: str) -> None:
    closing.deactivate(world.organization, by=BY)


def remove_the_person(world: World, place: str) -> None:
    team.remove(world.owner.membership, by=make_member(organization=world.organization))


def terminate_the_key(world: World, place: str) -> None:
    keying.terminate(world.custom_key, actor=BY)


ORGANIZATION = "/api/organization/v1/organization"
ENDS: list[tuple[Callable[[World, str], None], list[str]]] = [
    (revoke_the_token, ["token"]),
    (withdraw_the_consent, ["token", "shop_token"]),
    (end_the_registration, ["token", "shop_token"]),
    (deactivate_the_person, ["token", "user_key"]),
    (deactivate_the_organization, ["token", "shop_token", "key", "user_key"]),
    (remove_the_person, ["token", "user_key"]),
    (terminate_the_key, ["key"]),
]
CREDENTIALS = ["token", "shop_token", "key", "user_key"]


@pytest.mark.parametrize(("end", "dead"), ENDS, ids=[end.__name__ for end, _ in ENDS])
def test_what_is_ended_is_refused_by_every_process_at_once(processes, settings, end, dead):
    settings.DEMO = True  # the admin without a second factor
    world = make_world("mine")
    for name in CREDENTIALS:
        assert statuses(processes, ORGANIZATION, bearer(world.rows[name])) == {200}
    entries = Entry.objects.count()
    end(world, processes[0])
    found = {name: statuses(processes, ORGANIZATION, bearer(world.rows[name])) for name in CREDENTIALS}
    assert found == {name: {401} if name in dead else {200} for name in CREDENTIALS}
    assert Entry.objects.count() > entries
