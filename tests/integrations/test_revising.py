"""Whoever changes an integration's configuration leaves a version of it: who, when, what, and how it was before."""

import pytest
from django.utils import translation

from apps.api.errors import Problem
from apps.audit.trail import Actor
from apps.catalog import buffering
from apps.integrations import configuration, customizing, restoring
from apps.integrations.changing import change
from apps.integrations.configuring import write
from apps.integrations.exporting import export
from apps.integrations.fields import InvalidFields, check_definition
from apps.integrations.models import Integration, PartnerConnector, Revision
from apps.integrations.revising import newest, revised, revisions_of
from tests.concurrency import at_once
from tests.factories import make_custom_integration, make_integration, make_organization, make_revision

ANNA = Actor(text="anna@foo-3pl.example", user_id=7)
FIELDS = [
    {"key": "days", "title": "Days", "type": "text"},
    {"key": "site", "title": "Site", "type": "select", "options": [{"title": "North", "value": "n"}]},
    {"key": "password", "title": "Password", "type": "secret"},
]


def having(*fields: dict) -> Integration:
    made = make_custom_integration(name="Great WMS")
    PartnerConnector.objects.filter(pk=made.partner_id).update(settings_fields=check_definition(list(fields)))
    return fresh(made)


def fresh(integration: Integration) -> Integration:
    return Integration.objects.select_related("partner").get(pk=integration.pk)


def told(changes: list[dict]) -> list[tuple]:
    return [(change["attribute"], change["before"], change["after"]) for change in changes]


def history(integration: Integration) -> list[tuple]:
    """Number, how, who, and what changed, oldest first."""
    rows = revisions_of(integration).order_by("number")
    return [(row.number, row.origin, row.actor, told(row.changes)) for row in rows]


@pytest.fixture
def integration(db) -> Integration:
    return having(*FIELDS)


# ---- What leaves a version


def test_the_first_change_keeps_how_it_was_before_too(integration):
    write(integration, {"days": "3"}, actor=ANNA)
    write(integration, {"days": "4", "site": "n"}, actor=ANNA)
    assert history(integration) == [
        (1, "found", "", []),
        (2, "change", ANNA.text, [("settings.days", None, "3")]),
        (3, "change", ANNA.text, [("settings.days", "3", "4"), ("settings.site", None, "n")]),
    ]
    assert newest(integration).user_id == 7
    assert newest(integration).document["settings"] == {"days": "4", "site": "n"}


def test_what_changes_nothing_leaves_none(integration):
    write(integration, {"days": "3"}, actor=ANNA)
    write(integration, {"days": "3"}, actor=ANNA)
    change(integration, {"name": integration.name}, actor=ANNA)
    assert [row[0] for row in history(integration)] == [1, 2]


def test_of_a_secret_it_says_only_that_it_changed(integration):
    write(integration, {"password": "hunter2"}, actor=ANNA)
    write(integration, {"password": "hunter3"}, actor=ANNA)
    write(integration, {"password": "hunter3"}, actor=ANNA)
    write(integration, {"password": None}, actor=ANNA)
    assert [changes for *_, changes in history(integration)] == [
        [],
        [("settings.password", "not set", "changed")],
        [("settings.password", "set", "changed")],
        [("settings.password", "set", "not set")],
    ]
    assert "hunter" not in str(list(Revision.objects.values()))


def test_a_change_of_several_things_at_once_is_one_version(integration):
    wanted = {"name": "Quay", "stock_sync_enabled": False, "order_hold_seconds": 60, "settings": {"days": "3"}}
    change(integration, wanted, actor=ANNA, note="The warehouse moved")
    assert history(integration)[-1] == (
        2,
        "change",
        ANNA.text,
        [
            ("flags.stockSync", True, False),
            ("name", "Great WMS", "Quay"),
            ("orderHoldSeconds", 600, 60),
            ("settings.days", None, "3"),
        ],
    )
    assert newest(integration).note == "The warehouse moved"


def test_an_import_a_new_definition_and_its_application_each_leave_one(integration):
    document = export(integration) | {"name": "Copy", "definition": {"description": "Moves hats."}}
    configuration.apply(integration, document, actor=ANNA)
    connector = fresh(integration).partner
    customizing.redefine(connector, version=connector.version, changes={"grants": ["orders:read"]}, actor=ANNA)
    customizing.apply_definition(fresh(integration), actor=ANNA)
    assert [(origin, [name for name, *_ in changes]) for _, origin, _, changes in history(integration)] == [
        ("found", []),
        ("import", ["definition.description", "name"]),
        ("definition", ["definition.grants"]),
        ("applied", ["grants"]),
    ]


def test_stock_kept_back_leaves_one(integration):
    buffering.keep_back(integration, 5, actor=ANNA)
    assert history(integration)[-1][3] == [("stockBuffer", 0, 5)]


def test_a_new_custom_integration_begins_with_its_first_version(db):
    made = customizing.customize(make_organization(), definition={"name": "WMS"}, by=None, actor=ANNA)
    assert history(made.integration) == [(1, "made", ANNA.text, [])]


def test_what_changed_unseen_is_a_version_of_its_own(integration):
    write(integration, {"days": "3"}, actor=ANNA)
    Integration.objects.update(name="Renamed by hand")
    write(integration, {"days": "4"}, actor=ANNA)
    assert history(integration)[2:] == [
        (3, "found", "", [("name", "Great WMS", "Renamed by hand")]),
        (4, "change", ANNA.text, [("settings.days", "3", "4")]),
    ]


def test_a_change_that_fails_leaves_no_version(integration):
    with pytest.raises(InvalidFields):
        change(integration, {"name": "Quay", "settings": {"unknown": "x"}}, actor=ANNA)
    assert (history(integration), fresh(integration).name) == ([], "Great WMS")


def test_after_a_failure_the_next_change_is_kept(integration):
    with pytest.raises(ZeroDivisionError), revised(integration, actor=ANNA):
        raise ZeroDivisionError
    write(integration, {"days": "3"}, actor=ANNA)
    assert len(history(integration)) == 2


@pytest.mark.django_db(transaction=True)
def test_changes_at_once_each_get_a_number_of_their_own():
    integration = having(*[{"key": f"field{n}", "title": "F", "type": "text"} for n in range(4)])
    numbers = iter(range(4))

    def write_one() -> None:
        write(integration, {f"field{next(numbers)}": "x"}, actor=ANNA)

    assert at_once(4, write_one) == [None] * 4
    assert [number for number, *_ in history(integration)] == [1, 2, 3, 4, 5]


# ---- Based on a version


def test_a_change_made_from_an_older_version_is_refused(integration):
    change(integration, {"name": "First"}, actor=ANNA, based_on=0)
    with pytest.raises(Problem) as refused:
        change(integration, {"name": "Second"}, actor=ANNA, based_on=0)
    assert (refused.value.code, fresh(integration).name) == ("stale_version", "First")
    change(integration, {"name": "Third"}, actor=ANNA, based_on=2)
    assert fresh(integration).name == "Third"


# ---- Going back


def test_going_back_is_a_new_version_and_leaves_secrets_and_rights(integration):
    write(integration, {"days": "3", "password": "hunter2"}, actor=ANNA)
    change(integration, {"name": "Quay", "settings": {"days": None, "site": "n", "password": "new"}}, actor=ANNA)
    Integration.objects.update(grants=["orders:read"])
    integration = fresh(integration)
    preview = restoring.preview(integration, revisions_of(integration).get(number=2))
    made = restoring.roll_back(integration, 2, actor=ANNA, based_on=3)
    assert (
        told(preview)
        == told(made.changes)
        == [
            ("name", "Quay", "Great WMS"),
            ("settings.days", None, "3"),
            ("settings.site", "n", None),
        ]
    )
    found = fresh(integration)
    assert (found.name, found.settings, found.grants) == ("Great WMS", {"days": "3"}, ["orders:read"])
    assert found.secret_settings.secrets == {"password": "new"}
    assert (made.number, made.origin, made.note) == (5, "rollback", "Version 2 again")


def test_what_no_longer_fits_the_fields_is_named_and_nothing_changes(integration):
    write(integration, {"days": "3", "site": "n"}, actor=ANNA)
    write(integration, {"days": None, "site": None}, actor=ANNA)
    newer = check_definition([FIELDS[1] | {"options": [{"title": "South", "value": "s"}]}])
    PartnerConnector.objects.update(settings_fields=newer)
    integration = fresh(integration)
    with pytest.raises(InvalidFields) as refused:
        restoring.roll_back(integration, 2, actor=ANNA)
    assert refused.value.details == [
        ("settings.days", "Unknown field."),
        ("settings.site", "Must be the value of one of its options."),
    ]
    assert (fresh(integration).settings, len(history(integration))) == ({}, 3)


def test_a_value_that_is_required_by_now_is_named(integration):
    write(integration, {"site": "n"}, actor=ANNA)
    PartnerConnector.objects.update(settings_fields=check_definition([FIELDS[0] | {"required": True}, FIELDS[1]]))
    found = restoring.misfits(fresh(integration), revisions_of(integration).get(number=2))
    assert found == [("days", "Required.")]


def test_there_is_no_way_back_to_anothers_version(integration):
    make_revision(integration=make_integration(), number=9)
    with pytest.raises(Problem) as refused:
        restoring.roll_back(integration, 9, actor=ANNA)
    assert refused.value.code == "not_found"


def test_going_back_to_what_holds_changes_nothing(integration):
    write(integration, {"days": "3"}, actor=ANNA)
    assert restoring.roll_back(integration, 2, actor=ANNA).number == 2


def test_a_version_is_named_in_the_readers_language(integration):
    change(integration, {"name": "Hats"}, actor=ANNA)
    with translation.override("nl"):
        assert str(newest(fresh(integration))) == "Hats, versie 2"
