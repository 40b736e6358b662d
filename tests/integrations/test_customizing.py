"""A custom connector is made whole or not at all, and its definition gives no rights by itself."""

from functools import partial

import pytest

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations import customizing, keying
from apps.integrations.definitions import suggested_grants
from apps.integrations.models import ApiKey, Integration, PartnerConnector
from tests.concurrency import at_once
from tests.factories import make_integration, make_member, make_organization, make_partner_integration

SOMEBODY = Actor("somebody")
WMS = {"name": "Great WMS", "category": "logistics"}


@pytest.fixture
def made(db) -> customizing.Customized:
    return customizing.customize(make_organization(), definition=WMS, by=make_member(), actor=SOMEBODY)


def redefine(made: customizing.Customized, **changes: object) -> PartnerConnector:
    version = PartnerConnector.objects.get(pk=made.connector.pk).version
    return customizing.redefine(made.connector, version=version, changes=changes, actor=SOMEBODY)


@pytest.mark.parametrize("call", [1, 2])
def test_nothing_is_left_when_any_part_fails(db, monkeypatch, call):
    issue, calls = keying.issue, iter(range(1, 3))

    def fails(*args: object, **fields: object) -> keying.Issued:
        if next(calls) == call:
            raise RuntimeError
        return issue(*args, **fields)

    monkeypatch.setattr(keying, "issue", fails)
    with pytest.raises(RuntimeError):
        customizing.customize(make_organization(), definition=WMS, by=None, actor=SOMEBODY)
    assert [model.objects.count() for model in (PartnerConnector, Integration, ApiKey, Entry)] == [0, 0, 0, 0]


def test_it_is_connected_and_has_what_its_category_suggests(made):
    integration = made.integration
    assert (integration.state, integration.grants) == ("connected", suggested_grants("logistics"))
    assert (integration.kind.category, integration.org_wide_access, integration.applied_version) == (
        "logistics",
        False,
        1,
    )


def test_a_warehouse_is_not_suggested_to_see_orders():
    suggested = suggested_grants("logistics")
    assert ("shipments:write" in suggested, any(grant.startswith("orders") for grant in suggested)) == (True, False)


def test_making_it_is_written_down_under_its_integration(made):
    entries = Entry.objects.of_integration(made.integration.pk).order_by("id")
    actions = ["connector.create", "key.issue", "key.reveal", "key.issue", "key.reveal"]
    assert [entry.action for entry in entries] == actions
    assert entries[0].after["grants"] == made.integration.grants


def test_rights_wait_until_they_are_applied(made):
    narrow = keying.issue(made.integration, name="Narrow", grants=["hooks:read"], by=None, actor=SOMEBODY).key
    redefine(made, grants=["hooks:read", "orders:read"], org_wide_access=True)
    integration = Integration.objects.select_related("partner").get()
    assert customizing.waits_to_be_applied(integration)
    assert (integration.grants, integration.org_wide_access) == (suggested_grants("logistics"), False)
    customizing.apply_definition(integration, actor=SOMEBODY)
    integration = Integration.objects.select_related("partner").get()
    assert (integration.grants, integration.org_wide_access, integration.applied_version) == (
        ["hooks:read", "orders:read"],
        True,
        2,
    )
    assert not customizing.waits_to_be_applied(integration)
    first = ApiKey.objects.select_related("integration").get(pk=made.integration_key.key.pk)
    assert (first.may, ApiKey.objects.get(pk=narrow.pk).may) == (["hooks:read", "orders:read"], ["hooks:read"])
    entry = Entry.objects.get(action="connector.apply")
    assert (entry.before["org_wide_access"], entry.after["org_wide_access"]) == (False, True)


def test_a_change_that_asks_for_no_other_rights_waits_for_nothing(made):
    redefine(made, readme="# How to")
    assert not customizing.waits_to_be_applied(Integration.objects.select_related("partner").get())


def test_only_a_custom_integration_has_a_definition_to_apply(db):
    for integration in (make_integration(), make_partner_integration()):
        assert not customizing.waits_to_be_applied(integration)
        with pytest.raises(Problem, match="conflict"):
            customizing.apply_definition(integration, actor=SOMEBODY)


def test_a_deleted_connector_is_changed_and_applied_no_more(made):
    customizing.discard(made.connector, actor=SOMEBODY)
    for work in (partial(redefine, made, name="x"), partial(customizing.discard, made.connector, actor=SOMEBODY)):
        with pytest.raises(Problem, match="deleted"):
            work()
    with pytest.raises(Problem, match="deleted"):
        customizing.apply_definition(made.integration, actor=SOMEBODY)
    integration = Integration.objects.get()
    assert (integration.state, integration.state_reason) == ("disabled", "Its connector was deleted.")
    assert ApiKey.objects.live().count() == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_who_change_the_same_version_at_once_one_wins():
    made = customizing.customize(make_organization(), definition=WMS, by=None, actor=SOMEBODY)
    names = iter("ABCD")
    change = partial(customizing.redefine, made.connector, version=1, actor=SOMEBODY)
    results = at_once(4, lambda: change(changes={"name": next(names)}))
    lost = [found.code for found in results if isinstance(found, Problem)]
    won = [found.name for found in results if isinstance(found, PartnerConnector)]
    kept = PartnerConnector.objects.get()
    assert (lost, won, kept.version) == (["stale_version"] * 3, [kept.name], 2)
