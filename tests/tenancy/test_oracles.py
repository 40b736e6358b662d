"""TN-06: that something exists in another organization refuses nobody here, so that nobody can ask for it."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core import mail
from django.db import connection
from django.db.models import Model

from apps.accounts.models import Organization, User
from tests.conftest import signed_in
from tests.factories import make_member, make_organization, make_product

from .callers import TRUSTED
from .routes import ROUTES, Route, body_of, ids, send
from .world import is_tenants, make_world, undone

RANDOM = "256 random bits of ours: nobody chooses them, and who meets one has it already"
OURS = "the 3PL's own or the framework's table: no organization's words are in it"
# Every unique index whose first column neither is the organization nor refers to a row that one has.
JUDGED = {
    "accounts_user_email_key": "signing in needs it; who invites hears the same of anybody (below)",
    "one_user_per_email": "as accounts_user_email_key",
    "one_invitation_per_link": RANDOM,
    "one_answer_per_idempotency_key": "begins with the caller, and no caller is of two organizations",
    "api_usage_pkey": "as one_answer_per_idempotency_key",
    "audit_sealed_pkey": OURS,
    "desk_dismissal_key_key": "the 3PL's own, and begins with the organization's id",
    "one_part_of_a_number": "the 3PL's own, and begins with the id of a job, which we choose",
    "catalog_sighting_pkey": "begins with the id of a run, which we choose",
    "integrations_accesstoken_id_token_id_key": "never filled: we do not speak OpenID Connect",
    "integrations_accesstoken_token_checksum_key": RANDOM,
    "integrations_application_client_id_key": RANDOM,
    "integrations_applicationtoken_pkey": OURS,
    "integrations_grant_code_key": RANDOM,
    "integrations_idtoken_jti_key": RANDOM,
    "integrations_refreshtoken_token_checksum_revoked_cb74a01f_uniq": RANDOM,
    "one_api_key_per_digest": RANDOM,
    "one_attempt_per_state": RANDOM,
    "webhooks_inbox_token_key": RANDOM,
    # It tells an owner that an id is in use by somebody. The platform itself tells as much to our one application, and
    # of two stores under one id one would get the other's products. Not so where each customer has a server alone.
    "one_connection_per_ext_shop_id_of_a_connector": "one application names the stores of all organizations by it",
}


def unique_indexes() -> Iterator[tuple[type[Model], str, str]]:
    """(model, index, first column) of every unique index of our tables, but for the ids we choose ourselves."""
    tables = {model._meta.db_table: model for model in apps.get_models() if model.__module__.startswith("apps.")}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.indrelid::regclass::text, c.relname, pg_get_indexdef(i.indexrelid, 1, true)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisunique
            """
        )
        for table, name, column in cursor.fetchall():
            if table in tables and column != "id":
                yield tables[table], name, column


def is_led_by_an_owner(model: type[Model], column: str) -> bool:
    """Whether what is unique is so among the rows of one organization, of one of its rows, or of one person."""
    field = next((field for field in model._meta.concrete_fields if field.column == column), None)
    target = field.related_model if field else None
    if target is None:
        return False
    hanging = any(other.related_model and is_tenants(other.related_model) for other in target._meta.concrete_fields)
    return target in (Organization, User) or is_tenants(target) or hanging


def test_every_unique_index_is_an_organizations_own_or_judged(db):
    found = {name for model, name, column in unique_indexes() if not is_led_by_an_owner(model, column)}
    assert found == set(JUDGED)


WRITES = [route for route in ROUTES if route.method == "POST" and route.rule.kinds]


@pytest.mark.parametrize("route", WRITES, ids=str)
def test_what_another_organization_has_just_made_can_be_made_here_too(db, route: Route):
    mine, theirs = make_world("mine"), make_world("theirs")
    for caller in TRUSTED.values():
        heard = []
        for others in ([], [theirs]):
            with undone():
                for world in [*others, mine]:
                    place = route.address(ids(route, world, caller.side))
                    body = body_of(route, world, caller.side)
                    answer = send(route, place, headers=caller.credential(world), body=body)
                heard.append(answer.status_code)
        assert heard[0] == heard[1]


def test_a_sku_of_another_organization_is_free(db):
    for _ in range(2):
        make_product(sku="HAT-1", organization=make_organization())


def test_who_invites_hears_the_same_of_anybody(owner, stranger):
    browser, heard = signed_in(owner), []
    for email in (stranger.email, "nobody-yet@example.com"):
        page = browser.post("/team/", {"email": email, "role": "viewer"}, follow=True)
        heard.append([str(message).replace(email, "…") for message in page.context["messages"]])
    assert heard[0] == heard[1] == ["We sent a link to …."]
    assert len(mail.outbox) == 2


def test_a_member_of_another_organization_is_told_so_themselves_and_nobody_else_is(owner, stranger):
    signed_in(owner).post("/team/", {"email": stranger.email, "role": "viewer"})
    team = signed_in(owner).get("/team/").content.decode()
    assert stranger.organization.name not in team
    assert make_member(organization=owner.organization).organization == owner.organization
