import json

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Brand, Membership, Organization, Store, User


def seed(capsys) -> dict:
    call_command("seed_demo")
    return json.loads(capsys.readouterr().out)


def test_the_demo_has_an_owner_and_an_admin_who_can_sign_in(db, settings, capsys, client):
    settings.DEMO = True
    seeded = seed(capsys)
    owner, admin = (User.objects.get(email=seeded["users"][role]["email"]) for role in ("owner", "admin"))
    assert str(owner.organization.pk) == seeded["organization_id"]
    assert (owner.membership.role, admin.is_superuser, admin.organization) == ("owner", True, None)
    for who in seeded["users"].values():
        answer = client.post("/accounts/login/", {"login": who["email"], "password": who["password"]})
        assert answer.status_code == 302
        client.post("/accounts/logout/")


def test_seeding_twice_makes_nothing_twice(db, settings, capsys):
    settings.DEMO = True
    assert seed(capsys) == seed(capsys)
    made = (User, Organization, Membership, Brand, Store)
    assert [model.objects.count() for model in made] == [2, 1, 1, 1, 2]


def test_a_real_portal_gets_no_user_with_a_known_password(db, settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="only runs with DEMO=1"):
        call_command("seed_demo")
    assert not User.objects.exists()
